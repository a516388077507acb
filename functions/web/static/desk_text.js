// The words of an open report: texts of the topic "desk_report".
import { t } from "./core.js";

/** Returns the text with this key. */
export const text = (key, params) => t("desk_report." + key, params);

/** Returns the text with this key, or otherwise where there is none: the API may name what this page does not know yet. */
export function known(key, otherwise, params) {
  const found = text(key, params);
  return found === "desk_report." + key ? otherwise : found;
}

/** Says how much two reports have in common. */
export const alike = ({ distance_meters: meters, similarity }) => [text("distance", { n: Math.round(meters) }),
  similarity === null ? "" : text("similarity", { n: Math.round(similarity * 100) })].filter(Boolean).join(" · ");

// The page of a report is shared by everybody and may be a minute old. This brings what changed meanwhile into it.
import { $, $$, fill, h, t, api, status, moment, data } from "./core.js";
import { comments } from "./report_comments.js";

const onTheWay = ["pending", "verified", "in_progress", "fixed"];

// A change of the status, as history in report_facts.go makes it.
const step = (s) => h("li", {}, h("strong", { class: s.new_status }, t("label.status." + s.new_status)), " ",
  h("span", { class: "soft" }, h("time", { datetime: s.created_at }, moment(s.created_at)), " · ", data.by[s.changed_by] || "", s.agency_name ? ", " + s.agency_name : "",
    s.old_status === "fixed" && s.changed_by === "citizen" ? " " + data.disputed : ""),
  s.note ? h("p", { class: "words", dir: "auto" }, s.note) : null);

/** Shows the status, the steps and the counts of r, the report as the API answers it to whoever is signed in. */
export function showNow(r) {
  data.confirmations = r.confirmations_count;
  data.followers = r.followers_count;
  if (r.content_pending || r.status_history.length <= data.steps) return;
  data.status = r.status;
  fill($("#status"), status(r.status));
  const at = onTheWay.indexOf(r.status);
  $$(".ladder li").forEach((li, i) => {
    li.className = i <= at ? "done" : "";
    if (i === at) li.setAttribute("aria-current", "step");
    else li.removeAttribute("aria-current");
  });
  $(".history").append(...r.status_history.slice(data.steps).map(step));
  data.steps = r.status_history.length;
}

/** Adds the comments of r that the page lacks. */
export async function missedComments(r) {
  if (r.comments_count <= data.commented || data.commented >= 20) return;
  const { items } = await api("GET", "/reports/" + data.number + "/comments?page_size=20");
  items.filter((c) => !c.content_hidden).forEach(comments.add);
}

// Compares a report with the public log in the reader's browser: the hashes and the chain of its entries, their places under
// the root of the log's checkpoint, the message on the ledger, the report and its pictures. What it could not compare it
// says. Log, keys and this script come from the same site; /verify checks a receipt without it.
import { data, fill, t } from "./core.js";

const nameOf = (e) => data.events[e.event_type] || e.event_type;
const [list, left, verdict] = ["checks", "left", "verdict"].map((id) => document.getElementById(id));
const { report, mirror } = document.getElementById("verify").dataset;

// RFC 8785: members sorted by UTF-16 code units; numbers and strings as ECMAScript writes them.
const canonical = (v) => {
  if (Array.isArray(v)) return "[" + v.map(canonical).join(",") + "]";
  if (v && typeof v === "object") return "{" + Object.keys(v).sort().map((k) => JSON.stringify(k) + ":" + canonical(v[k])).join(",") + "}";
  return JSON.stringify(v);
};
const hex = (bytes) => [...new Uint8Array(bytes)].map((b) => b.toString(16).padStart(2, "0")).join("");
const sha = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data));
const encode = (s) => new TextEncoder().encode(s);
const unbase64 = (s) => Uint8Array.from(atob(s), (c) => c.charCodeAt(0));
const join = (...parts) => Uint8Array.from(parts.flatMap((p) => [...p]));

const line = (to, text, className = "") => {
  const li = document.createElement("li");
  li.textContent = text;
  li.className = className;
  to.append(li);
};
const say = (ok, text) => {
  line(list, text, ok ? "" : "bad");
  return ok;
};
const leaveOut = (text) => {
  if (![...left.children].some((li) => li.textContent === text)) line(left, text, "open");
};
const read = async (path) => {
  const res = await fetch("/api/v1/public/" + path, { cache: "no-store" });
  if (res.status === 410) return (await res.json()).tombstone;
  if (!res.ok) throw new Error(res.status);
  return res.json();
};

// The root that an inclusion proof (RFC 9162, 2.1.3.2) leads to; null if its length does not fit.
const rootOf = async (leaf, index, size, path) => {
  let [at, last] = [index, size - 1];
  let hash = await sha(join([0], leaf));
  for (const sibling of path) {
    if (last === 0) return null;
    if (at % 2 === 1 || at === last) {
      hash = await sha(join([1], sibling, hash));
      while (at % 2 === 0 && at !== 0) { at = at / 2; last = Math.floor(last / 2); }
    } else {
      hash = await sha(join([1], hash, sibling));
    }
    at = Math.floor(at / 2); last = Math.floor(last / 2);
  }
  return last === 0 ? hash : null;
};
// Proofs of the entries, by place: c2sp.org/tlog-proof, with a line -- between two. None are published yet on 404.
const readProofs = async () => {
  const found = new Map();
  for (let from = 0, more = true; more;) {
    const res = await fetch(`/api/v1/public/blockchain/report/${report}/proof?from=${from}`, { cache: "no-store" });
    if (res.status === 404) return found;
    if (!res.ok) throw new Error(res.status);
    for (const text of (await res.text()).split("\n--\n")) {
      const [head, checkpoint] = text.split("\n\n");
      const [, extra, index, ...path] = head.split("\n");
      const [, size, root] = checkpoint.split("\n");
      const at = Number(index.slice(6));
      found.set(at, { entry: unbase64(extra.slice(6)), path: path.map(unbase64), size: Number(size), root: hex(unbase64(root)) });
      from = at + 1;
    }
    more = res.headers.get("X-Truncated") === "true";
  }
  return found;
};
const message = async (entry) => {
  const res = await fetch(`${mirror}/api/v1/topics/${entry.topic_id}/messages/${entry.sequence_number}`);
  if (!res.ok) throw new Error(res.status);
  return unbase64((await res.json()).message);
};
// True when a message has the entry: a checkpoint that covers its place, or, from before the log, its bytes or a batch.
const carries = (there, leaf, index) => {
  if (hex(there) === hex(leaf)) return true;
  const said = JSON.parse(new TextDecoder().decode(there));
  if (said.event === "BATCH") {
    leaveOut(t("proof.left_batch"));
    return true;
  }
  return Number((said.checkpoint || "").split("\n")[1]) > index;
};

const located = ["verified", "in_progress", "fixed", "duplicate"];
const near = (a, b, decimals) => Math.abs(a - b) <= 0.5 * 10 ** -decimals + 1e-9;
// Returns the members of the report that differ from its newest entry. An entry from before the public log has no payload
// here while the report was never shown: then less can be compared.
const differences = (held, entries) => {
  const newest = entries[entries.length - 1].payload;
  if (newest === null) return [];
  const now = { ...held, agency: held.assigned_agency && held.assigned_agency.code, duplicate_of: held.duplicate_of && held.duplicate_of.report_number,
    anonymous: held.is_anonymous };
  const names = ["report_number", "issue_type", "status", ...["severity", "priority"].filter((n) => n in newest)];
  if (newest.v > 1) names.push("agency", "due_at", "anonymous");
  if (newest.duplicate_of && !now.duplicate_of) leaveOut(t("proof.left_original"));
  else if (newest.v > 1) names.push("duplicate_of");
  const out = names.filter((n) => (now[n] || null) !== (newest[n] || null));
  const decimals = held.content_pending ? 3 : newest.v === 1 || entries.some((e) => e.payload && located.includes(e.payload.status)) ? 4 : 3;
  if (!near(held.latitude, newest.location.lat, decimals) || !near(held.longitude, newest.location.lon, decimals)) out.push("location");
  const created = entries.map((e) => e.payload && e.payload.created_at).find(Boolean);
  if (created && held.created_at !== created) out.push("created_at");
  const moves = (list, pick) => list.map(pick).join();
  if (entries.every((e) => e.payload) && moves(held.status_history.filter((s) => s.old_status), (s) => s.new_status) !== moves(entries.filter((e) => e.payload && e.payload.old_status), (e) => e.payload.status)) out.push("status_history");
  return out;
};
// The same for a report that was taken down: its tombstone. The log may name no reason where that is from before it.
const capacities = { citizen: "reporter", ai: "ai", admin: "admin" };
const differencesOfTombstone = (held, entries) => {
  const payloads = entries.map((e) => e.payload).filter(Boolean);
  const down = payloads.filter((p) => p.event === "REPORT_WITHDRAWN" || p.old_status && p.status === "rejected").pop();
  const reason = payloads.filter((p) => p.reason_code).pop();
  if (!down) return ["status"];
  const said = { report_number: down.report_number, issue_type: payloads[payloads.length - 1].issue_type, removed_at: down.ts,
    removed_by: capacities[down.changed_by.kind] || "moderator", withdrawn: down.event === "REPORT_WITHDRAWN" };
  if (reason && held.reason_code) said.reason_code = reason.reason_code;
  const now = { ...held, withdrawn: held.status !== "rejected" };
  return Object.keys(said).filter((n) => said[n] !== now[n]);
};
const differ = (held, entries) => (held.removed_at ? differencesOfTombstone : differences)(held, entries);
// When something differs, both are read once more: the report may have changed between the two requests.
const state = async (again) => {
  const held = await read(`reports/${report}`);
  const { entries } = await read(`blockchain/report/${report}/history`);
  if (again && entries.length && differ(held, entries).length) return state(false);
  return { held, entries };
};

// Compares the bytes of the pictures that are shown with the newest entry. It names all: some may not be public.
const pictures = async (held, newest) => {
  const shown = held.images.filter((i) => i.status === "processed" && i.image_url);
  const hashes = [], digested = [];
  try {
    for (const i of shown) {
      for (const address of [i.image_url, i.thumbnail_url]) {
        const res = await fetch(address, { cache: "no-store" });
        if (!res.ok) throw new Error(res.status);
        hashes.push(await sha(await res.arrayBuffer()));
      }
      digested.push(...hashes.slice(-2), ...(i.kind === "resolution" ? [[1]] : []));
    }
  } catch {
    leaveOut(t("proof.left_pictures"));
    return true;
  }
  if (newest.images_digest) {
    if (newest.v === 1 || hex(await sha(join(...digested))) !== newest.images_digest) leaveOut(t("proof.left_hidden"));
    else say(true, t("proof.check_pictures"));
    return true;
  }
  const [images, thumbs] = [newest.images || [], newest.thumbs || []];
  if (shown.length < images.length) leaveOut(t("proof.left_hidden"));
  if (!shown.length) return true;
  // The small form of a picture that was processed before the public log is "" or not there.
  if (shown.some((_, n) => !thumbs[images.indexOf(hex(hashes[2 * n]))])) leaveOut(t("proof.left_old"));
  const named = shown.every((i, n) => {
    const at = images.indexOf(hex(hashes[2 * n]));
    return at >= 0 && (!thumbs[at] || thumbs[at] === hex(hashes[2 * n + 1])) &&
      (newest.v === 1 || (i.kind === "resolution") === (newest.resolution_images || []).includes(at));
  });
  return say(named, t("proof.check_pictures"));
};

// Compares one entry. previous is the hash of the entry before. Returns its hash, and what was found: ok false is a
// difference; open is waiting or unreachable.
const compare = async (e, n, previous, proofs, held) => {
  const leaf = encode(canonical(e.payload));
  const hash = hex(await sha(leaf));
  let ok = say(hash === e.payload_hash && e.payload.report_number === held.report_number, `${nameOf(e)}: ${t("proof.check_hash")}`);
  ok = say((e.payload.prev || null) === previous && e.payload.seq === n + 1, `${nameOf(e)}: ${t("proof.check_chain")}`) && ok;
  const proof = proofs.get(e.log_index);
  if (!proof) {
    line(list, `${nameOf(e)}: ${t("proof.check_queued")}`, "open");
    return { hash, ok, open: "waiting" };
  }
  const root = await rootOf(leaf, e.log_index, proof.size, proof.path);
  ok = say(root !== null && hex(root) === proof.root, `${nameOf(e)}: ${t("proof.check_log")}`) && ok;
  if (e.sequence_number === null) {
    leaveOut(t("proof.left_ledger"));
    return { hash, ok, open: e.status === "queued" ? "" : "waiting" };
  }
  try {
    if (!mirror) throw new Error("no mirror node");
    ok = say(carries(await message(e), leaf, e.log_index), `${nameOf(e)}: ${t("proof.check_ledger")}`) && ok;
  } catch {
    line(list, `${nameOf(e)}: ${t("proof.check_unreachable")}`, "open");
    return { hash, ok, open: "unreachable" };
  }
  return { hash, ok, open: "" };
};

// Returns good, bad, waiting (some entries are not in the log yet) or unreachable (the mirror node did not answer).
const check = async () => {
  const { held, entries } = await state(true);
  const proofs = await readProofs();
  let good = entries.length > 0;
  const open = new Set();
  let previous = null;
  for (const [n, e] of entries.entries()) {
    if (e.payload === null) { // from before the public log
      open.add("waiting");
      previous = e.payload_hash;
      line(list, `${nameOf(e)}: ${t("proof.check_withheld")}`, "open");
      continue;
    }
    const found = await compare(e, n, previous, proofs, held);
    good = found.ok && good;
    previous = found.hash;
    open.add(found.open);
  }
  const newest = entries.length ? entries[entries.length - 1].payload : null;
  if (newest !== null) {
    const found = differ(held, entries);
    good = say(!found.length, t("proof.check_report") + (found.length ? ` (${found.join(", ")})` : "")) && good;
    if (!newest.v || newest.v === 1) leaveOut(t("proof.left_old"));
    if (!held.removed_at) good = await pictures(held, newest) && good;
  }
  leaveOut(t("proof.left_words"));
  leaveOut(t("proof.left_rest"));
  leaveOut(t("proof.left_keys"));
  if (!good) return "bad";
  if (open.has("unreachable")) return "unreachable";
  return open.has("waiting") ? "waiting" : "good";
};

/** Compares the report with the public log, and says on the page what agrees, what differs and what was not compared. */
export async function comparePage() {
  fill(list);
  fill(left);
  verdict.className = "verdict";
  verdict.textContent = t("proof.checking");
  try {
    const found = await check();
    verdict.classList.add({ good: "good", bad: "bad" }[found] || "open");
    verdict.textContent = t("proof." + found);
  } catch {
    verdict.classList.add("bad");
    verdict.textContent = t("proof.failed");
  }
  document.getElementById("not-compared").hidden = !left.children.length;
}

// Checks the ledger proof of a report in the reader's browser. It computes the hashes and the chain again, fetches the messages
// from the public mirror node, and compares the report with its newest event. The verdict is "good" only when the ledger was
// reached and has every event.
(() => {
  "use strict";
  const button = document.getElementById("verify");
  if (!button) return;
  const texts = JSON.parse(document.getElementById("texts").textContent);
  const list = document.getElementById("checks");
  const verdict = document.getElementById("verdict");
  const { report, mirror } = button.dataset;

  // RFC 8785: members sorted by UTF-16 code units; numbers and strings as ECMAScript writes them.
  const canonical = (v) => {
    if (Array.isArray(v)) return "[" + v.map(canonical).join(",") + "]";
    if (v && typeof v === "object") return "{" + Object.keys(v).sort().map((k) => JSON.stringify(k) + ":" + canonical(v[k])).join(",") + "}";
    return JSON.stringify(v);
  };
  const hex = (bytes) => [...new Uint8Array(bytes)].map((b) => b.toString(16).padStart(2, "0")).join("");
  const bytes = (h) => Uint8Array.from(h.match(/../g) ?? [], (b) => parseInt(b, 16));
  const sha = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  const encode = (s) => new TextEncoder().encode(s);
  const join = (...parts) => Uint8Array.from(parts.flatMap((p) => [...p]));

  // Checks an inclusion proof (RFC 6962): true when the leaf belongs to the root.
  const included = async (leaf, proof) => {
    let [index, last] = [proof.leaf_index, proof.tree_size - 1];
    let hash = await sha(join([0], leaf));
    for (const sibling of proof.proof.map(bytes)) {
      if (last === 0) return false;
      if (index % 2 === 1 || index === last) {
        hash = await sha(join([1], sibling, hash));
        while (index % 2 === 0 && index !== 0) { index = index / 2; last = Math.floor(last / 2); }
      } else {
        hash = await sha(join([1], hash, sibling));
      }
      index = Math.floor(index / 2); last = Math.floor(last / 2);
    }
    return last === 0 && hex(hash) === proof.root;
  };

  const line = (text, className) => {
    const li = document.createElement("li");
    li.textContent = text;
    li.className = className;
    list.append(li);
  };
  const say = (ok, text) => {
    line(text, ok ? "" : "bad");
    return ok;
  };
  const read = async (path) => {
    const res = await fetch("/api/v1/public/" + path, { cache: "no-store" });
    if (!res.ok) throw new Error(res.status);
    return res.json();
  };
  const message = async (entry) => {
    const res = await fetch(`${mirror}/api/v1/topics/${entry.topic_id}/messages/${entry.sequence_number}`);
    if (!res.ok) throw new Error(res.status);
    return Uint8Array.from(atob((await res.json()).message), (c) => c.charCodeAt(0));
  };

  // True when the newest event has the present state of the report. When it has not, both are read once more: the report may
  // have changed between the two requests.
  // Before a verdict the event has no payload, so nothing can be compared.
  const current = (held, { payload }) =>
    payload === null || ["report_number", "issue_type", "status", "severity"].every((name) => held[name] === payload[name]);
  const state = async (again) => {
    const held = await read(`reports/${report}`);
    const { entries } = await read(`blockchain/report/${report}/history`);
    if (again && entries.length && !current(held, entries.at(-1))) return state(false);
    return { held, entries };
  };

  // Returns good, bad, waiting (some events are not on the ledger yet) or unreachable (the mirror node did not answer).
  const check = async () => {
    const { held, entries } = await state(true);
    let good = entries.length > 0;
    let [waiting, unreachable] = [false, false];
    let previous = null;
    for (const e of entries) {
      if (e.payload === null) { // before a verdict
        waiting = true;
        line(`${e.event_type}: ${texts.withheld}`, "open");
        continue;
      }
      const leaf = encode(canonical(e.payload));
      const hash = hex(await sha(leaf));
      good = say(hash === e.payload_hash, `${e.event_type}: ${texts.hash}`) && good;
      good = say((e.payload.prev ?? null) === previous, `${e.event_type}: ${texts.chain}`) && good;
      previous = hash;
      if (e.status !== "confirmed") {
        waiting = true;
        line(`${e.event_type}: ${texts.queued}`, "open");
        continue;
      }
      if (e.batch) good = say(await included(leaf, e.batch), `${e.event_type}: ${texts.batch}`) && good;
      let there;
      try {
        if (!mirror) throw new Error("no mirror node");
        there = await message(e);
      } catch {
        unreachable = true;
        line(`${e.event_type}: ${texts.unreachable}`, "open");
        continue;
      }
      const same = e.batch ? new TextDecoder().decode(there).includes(e.batch.root) : hex(there) === hex(leaf);
      good = say(same, `${e.event_type}: ${texts.ledger}`) && good;
    }
    if (entries.length && entries.at(-1).payload !== null) good = say(current(held, entries.at(-1)), texts.report) && good;
    if (!good) return "bad";
    if (unreachable) return "unreachable";
    return waiting ? "waiting" : "good";
  };

  button.addEventListener("click", async () => {
    button.disabled = true;
    list.replaceChildren();
    verdict.className = "verdict";
    verdict.textContent = texts.checking;
    try {
      const found = await check();
      verdict.classList.add({ good: "good", bad: "bad" }[found] ?? "open");
      verdict.textContent = texts.verdicts[found];
    } catch {
      verdict.classList.add("bad");
      verdict.textContent = texts.failed;
    }
    button.disabled = false;
  });
})();

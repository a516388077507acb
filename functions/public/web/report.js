// The proof, checked in the reader's own browser: hashes and the chain are
// recomputed here, and the messages are fetched from the public mirror node.
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

  // RFC 6962: is the leaf under the root?
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

  const say = (ok, text) => {
    const li = document.createElement("li");
    li.textContent = text;
    if (!ok) li.className = "bad";
    list.append(li);
    return ok;
  };
  const message = async (entry) => {
    const res = await fetch(`${mirror}/api/v1/topics/${entry.topic_id}/messages/${entry.sequence_number}`);
    if (!res.ok) throw new Error(res.status);
    return Uint8Array.from(atob((await res.json()).message), (c) => c.charCodeAt(0));
  };

  const check = async () => {
    const res = await fetch(`/api/v1/public/blockchain/report/${report}/history`, { cache: "no-store" });
    if (!res.ok) throw new Error(res.status);
    const { entries } = await res.json();
    let good = true;
    let previous = null;
    for (const e of entries) {
      const leaf = encode(canonical(e.payload));
      const hash = hex(await sha(leaf));
      good = say(hash === e.payload_hash, `${e.event_type}: ${texts.hash}`) && good;
      good = say((e.payload.prev ?? null) === previous, `${e.event_type}: ${texts.chain}`) && good;
      if (e.batch) good = say(await included(leaf, e.batch), `${e.event_type}: ${texts.batch}`) && good;
      if (mirror && e.status === "confirmed") {
        try {
          const held = await message(e);
          const same = e.batch ? new TextDecoder().decode(held).includes(e.batch.root) : hex(held) === hex(leaf);
          good = say(same, `${e.event_type}: ${texts.ledger}`) && good;
        } catch { say(false, `${e.event_type}: ${texts.unreachable}`); }
      }
      previous = hash;
    }
    return good && entries.length > 0;
  };

  button.addEventListener("click", async () => {
    button.disabled = true;
    list.replaceChildren();
    verdict.className = "verdict";
    verdict.textContent = texts.checking;
    try {
      const good = await check();
      verdict.classList.add(good ? "good" : "bad");
      verdict.textContent = good ? texts.good : texts.bad;
    } catch {
      verdict.classList.add("bad");
      verdict.textContent = texts.failed;
    }
    button.disabled = false;
  });
})();

// The reports on this phone: drafts, those that wait to be sent, and those that were sent but are not in the public log yet.
// The page and its service worker both use it, so it is no module that exports: it is self.outbox.
//
// An entry: client_id (the key; the same at every try, so a report is made once), owner (an address, or "" for what was
// written signed out), state (draft, waiting, sent), created, edited (a number that rises), fields (members of POST /reports),
// picture ({bytes, width, height} or null), problem (the last refusal), not_before, lease, and after sending number, receipt,
// log_index, sent_at.
(() => {
  const leaseMs = 90e3; // longer than the minute that a browser lets timers of a tab in the background wait
  const sendMs = 240e3; // 200 KB at 10 kbit/s take less
  const keepMs = 24 * 3600e3;
  const waitMs = 30e3;
  const holder = Math.random().toString(36).slice(2); // this tab or worker
  const memory = new Map(); // where storage is switched off or full
  let opening = null;

  function open() {
    opening = opening || new Promise((resolve, reject) => {
      const request = indexedDB.open("lafaekstreet-reports", 1);
      request.onupgradeneeded = () => request.result.createObjectStore("reports", { keyPath: "client_id" });
      request.onsuccess = () => {
        request.result.onversionchange = () => request.result.close();
        resolve(request.result);
      };
      request.onerror = request.onblocked = () => reject(request.error);
      setTimeout(() => reject(new Error("no answer")), 5000); // some versions of Safari never answer
    });
    return opening;
  }

  // Runs fn(store, done) in one transaction, and returns what done was called with once that is stored.
  async function transaction(mode, fn) {
    const db = await open();
    return new Promise((resolve, reject) => {
      const tx = db.transaction("reports", mode);
      let result;
      tx.oncomplete = () => resolve(result);
      tx.onerror = tx.onabort = () => reject(tx.error);
      fn(tx.objectStore("reports"), (value) => { result = value; });
    });
  }

  /** Reports whether this browser keeps entries when the page is closed. */
  const kept = () => memory.size === 0 && open().then(() => true, () => false);

  async function all() {
    const stored = await transaction("readonly", (store, done) => {
      const request = store.getAll();
      request.onsuccess = () => done(request.result);
    }).catch(() => []);
    return [...stored.filter((e) => !memory.has(e.client_id)), ...memory.values()].sort((a, b) => (a.created < b.created ? 1 : -1));
  }

  /** Returns the entries of an owner and those of nobody, the newest first. */
  const list = async (owner) => (await all()).filter((e) => !e.owner || e.owner === owner);

  /** Reports whether there are entries of other owners. */
  const ofOthers = async (owner) => (await all()).some((e) => e.owner && e.owner !== owner);

  /**
   * Changes one entry in one step, also against other tabs. fn gets the entry or undefined and returns the new entry, null to
   * delete it, or undefined to leave it. Returns what is stored then.
   */
  async function change(id, fn) {
    const apply = (before, put, remove) => {
      const after = fn(before);
      if (after) put(after);
      if (after === null) remove();
      return after === undefined ? before : after;
    };
    if (!memory.has(id)) {
      let before;
      try {
        return await transaction("readwrite", (store, done) => {
          const request = store.get(id);
          request.onsuccess = () => {
            before = request.result;
            done(apply(before, (e) => store.put(e), () => store.delete(id)));
          };
        });
      } catch { // storage is switched off or full: go on without it
        return apply(before, (e) => memory.set(id, e), () => {});
      }
    }
    return apply(memory.get(id), (e) => memory.set(id, e), () => memory.delete(id));
  }

  const leased = (e) => Boolean(e.lease) && e.lease.by !== holder && e.lease.until > Date.now();

  /**
   * Sends an entry that waits, unless another tab is sending it or its time has not come. who is {owner, lang, token(),
   * renew()}; renew returns the address that is signed in then. adopt lets it send what nobody owns, in the name of who. Returns the entry as it is then.
   */
  async function send(id, who, { adopt = false, now = false } = {}) {
    let mine = false;
    const claimed = await change(id, (e) => {
      mine = Boolean(e) && e.state === "waiting" && !leased(e) && (e.owner === who.owner || adopt && !e.owner) && (now || !(e.not_before > Date.now()));
      return mine ? { ...e, owner: who.owner, lease: { by: holder, until: Date.now() + leaseMs } } : undefined;
    });
    if (!mine) return claimed;
    const extend = setInterval(() => change(id, (e) => (e && e.lease ? { ...e, lease: { by: holder, until: Date.now() + leaseMs } } : undefined)), leaseMs / 4);
    const outcome = await post(claimed, who);
    clearInterval(extend);
    return change(id, (e) => (e ? settle({ ...e, lease: null }, outcome) : undefined));
  }

  // What becomes of an entry after an answer. What may go well later waits; what needs the person becomes a draft again.
  function settle(e, { status, body = {}, retryAfter = 0 }) {
    const taken = status === 200 || status === 201;
    if (taken && body.report_number) {
      const line = body.receipt && body.receipt.note ? Number(body.receipt.note.split("\n")[2]) : NaN;
      return { ...e, state: "sent", problem: null, number: body.report_number, receipt: body.receipt || null, log_index: Number.isInteger(line) ? line : null,
        warnings: body.warnings || [], sent_at: Date.now() };
    }
    const problem = { status, code: body.code || "", detail: body.detail || "", errors: body.errors || [], report_id: body.report_id || "", at: Date.now() };
    const later = taken || status === 0 || status === 401 || status === 408 || status === 429 || status >= 500 || body.code === "request_in_progress";
    if (!later) return { ...e, state: "draft", problem };
    return { ...e, problem, not_before: Date.now() + (retryAfter * 1000 || waitMs / 2), fields: { ...e.fields, created_offline: e.fields.created_offline || status === 0 } };
  }

  // One request: the picture travels with the words. The access token is renewed once.
  async function post(e, who) {
    try {
      let answer = await request(e, who);
      if (answer.status === 401) {
        if (await who.renew() !== e.owner) return { status: 401 }; // somebody else has signed in meanwhile
        answer = await request(e, who);
      }
      // Where the link breaks within the answer, this throws; the next try gets the same answer.
      const body = answer.ok ? await answer.json() : await answer.json().catch(() => ({}));
      return { status: answer.status, body, retryAfter: Number(answer.headers.get("Retry-After")) || 0 };
    } catch (error) {
      return { status: error.status === 401 ? 401 : 0 };
    }
  }

  function request(e, who) {
    const form = new FormData();
    for (const [name, value] of Object.entries({ client_id: e.client_id, ...e.fields, device_info: JSON.stringify({ platform: "web" }) })) {
      if (value !== null && value !== undefined && value !== "") form.append(name, String(value));
    }
    if (e.picture) form.append("image", new Blob([e.picture.bytes], { type: "image/jpeg" }), "photo.jpg");
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), sendMs);
    const headers = { "X-LafaekStreet": "1", "Accept-Language": who.lang, "X-Client-Time": new Date().toISOString(), Authorization: "Bearer " + who.token() };
    return fetch("/api/v1/reports", { method: "POST", body: form, headers, signal: abort.signal }).finally(() => clearTimeout(timer));
  }

  /** Deletes what was sent and is in the public log, or was sent more than 24 hours ago. Whatever fails is tried again later. */
  async function tidy(owner) {
    for (const e of await list(owner)) {
      if (e.state !== "sent") continue;
      const over = e.sent_at < Date.now() - keepMs;
      const inLog = !over && e.log_index !== null && await fetch("/log/proof/" + e.log_index).then((r) => r.ok, () => false);
      if (over || inLog) await change(e.client_id, () => null);
    }
  }

  /** For the service worker: sends what waits, with the session of this browser's cookie. Throws if something still waits. */
  async function sendInBackground() {
    let token = "";
    const lang = "tet";
    const renew = async () => {
      const answer = await fetch("/api/v1/auth/web-session", { method: "POST", headers: { "Content-Type": "application/json", "X-LafaekStreet": "1" }, body: "{}" });
      if (!answer.ok) throw answer;
      const { access_token, user } = await answer.json();
      token = access_token;
      signedIn = user;
      return user.email;
    };
    let signedIn = null;
    await renew().catch((e) => { if (e.status === 401) return null; throw e; });
    if (!signedIn) return; // signed out: the page asks
    const who = { owner: signedIn.email, lang: signedIn.preferred_language || lang, token: () => token, renew };
    for (const e of await list(who.owner)) {
      if (e.state === "waiting" && e.owner === who.owner) await send(e.client_id, who);
    }
    if ((await list(who.owner)).some((e) => e.state === "waiting" && e.owner === who.owner)) throw new Error("some reports still wait");
  }

  self.outbox = { kept, list, ofOthers, change, send, tidy, sendInBackground };
})();

// The draft that the report form shows, and keeping it on this phone.
import { $, t, newID } from "./core.js";
import { owner, tell } from "./new_report_waiting.js";

const { outbox } = self;
const saveAfterMs = 400;

/** Returns an empty draft of whoever is signed in. */
export const fresh = () => ({ client_id: newID(), owner: owner(), state: "draft", created: new Date().toISOString(), edited: 0, fields: {}, picture: null, place_from: "", problem: null });

/** Says in the form that this browser keeps no drafts; how long it keeps them, it says once there is one. */
export async function tellKeeping() {
  if (!(await outbox.kept())) $("#keeping").textContent = t("new_report.not_kept");
  else if (!draft.empty) $("#keeping").textContent = t("new_report.keeping");
}

let timer = 0;
let saving = Promise.resolve();

/** The one draft of the form. entry is as outbox.js describes it; dirty says that it differs from what is kept. */
export const draft = {
  entry: fresh(),
  dirty: false,
  get empty() { return !this.entry.picture && !Object.keys(this.entry.fields).length; },
  get hasPlace() { return this.entry.fields.latitude !== undefined; },

  /** Sets or clears a member of the report, and keeps the draft soon. */
  set(name, value) {
    if (value === null || value === undefined || value === "" || value === false) delete this.entry.fields[name];
    else this.entry.fields[name] = value;
    this.touch();
  },
  touch() {
    this.dirty = true;
    clearTimeout(timer);
    timer = setTimeout(() => this.save(), saveAfterMs);
  },
  take(entry) {
    this.entry = entry;
    this.dirty = false;
    tellKeeping();
  },
  /** Makes the same content another report. */
  renew() {
    this.entry = { ...this.entry, client_id: newID(), edited: 0, problem: null };
    this.dirty = true;
  },
  /** Keeps the draft now. Calls wait for each other. */
  save() {
    clearTimeout(timer);
    saving = saving.then(() => this.store()).catch((e) => console.error(e));
    return saving;
  },
  // A draft that another tab changed or sent meanwhile stays as it is there; this one becomes another.
  async store() {
    if (!this.dirty || this.empty) return;
    this.dirty = false;
    const mine = this.entry, next = { ...mine, edited: mine.edited + 1 };
    let taken = false;
    await outbox.change(mine.client_id, (e) => {
      taken = Boolean(e) && (e.state !== "draft" || e.edited !== mine.edited);
      return taken ? undefined : next;
    });
    if (taken && this.entry === mine) {
      this.renew();
      await this.store();
      return;
    }
    mine.edited = next.edited;
    tell();
    if (next.edited === 1 && navigator.storage && navigator.storage.persist) navigator.storage.persist().catch(() => {});
    await tellKeeping();
  },
};

// Texts that staff have typed and not sent. They outlast a reload and a sign-in of the same person, in this tab alone.

const memory = new Map(); // where storage is switched off
let owner = "";
const keyOf = (report, name) => ["desk", owner, report, name].join(":");
const store = (fn, otherwise) => { try { return fn(sessionStorage); } catch { return otherwise; } };

export const drafts = {
  /** Says whose texts these are: nobody reads those of somebody else who used the same tab. */
  ownedBy(id) { owner = id; },
  /** Returns the text with this name of a report; "" for none. */
  read(report, name) {
    const key = keyOf(report, name);
    return memory.get(key) || store((s) => s.getItem(key), "") || "";
  },
  write(report, name, text) {
    const key = keyOf(report, name);
    if (!text) return this.clear(report, name);
    memory.set(key, text);
    return store((s) => s.setItem(key, text));
  },
  clear(report, name) {
    const key = keyOf(report, name);
    memory.delete(key);
    store((s) => s.removeItem(key));
  },
  /** Says whether a report has any text. */
  any(report) {
    const prefix = keyOf(report, "");
    const keys = store((s) => Object.keys(s), []).concat([...memory.keys()]);
    return keys.some((key) => key.startsWith(prefix));
  },
};

/** Keeps what is typed into a control. without is the value that needs no keeping, such as the present title. */
export function keep(control, report, name, without = "") {
  control.value = drafts.read(report, name) || without;
  control.addEventListener("input", () => drafts.write(report, name, control.value === without ? "" : control.value));
  return control;
}

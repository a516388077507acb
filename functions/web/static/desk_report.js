// The open report of the desk: what staff read of it and do with it.
import { h, fill, api, titleOf, status, place } from "./core.js";

/**
 * Opens a report in container. ref is its number or id. What it is given:
 *   user       who is signed in
 *   agencies   the answer of GET /staff/agencies
 *   templates  the items of GET /staff/templates
 *   onChange(report)  is called with the report after each change
 *   onClose()         is called by a control that leads back to the list
 *   register(keys)    is called with {v: fn, …}: what the keys V R D A S F H do with this report. A key that the report does not
 *                     take is left out. Each call replaces the one before; the desk forgets the keys when the report is closed.
 * It returns {close(), dirty()}: close ends what runs by itself; dirty says that something typed is not sent yet.
 */
export function openReport(container, ref, { register }) {
  let closed = false;
  api("GET", "/reports/" + encodeURIComponent(ref)).then((r) => {
    if (closed) return;
    fill(container, h("h2", { tabindex: "-1", dir: "auto" }, titleOf(r)), h("p", {}, r.report_number, " · ", place(r), " ", status(r.status)),
      h("p", { class: "words", dir: "auto" }, r.description));
    register({});
  });
  return { close() { closed = true; }, dirty: () => false };
}

// A picture on the whole screen, to look at closely: by touch, by mouse, by keyboard.
import { h, t, dialog } from "./core.js";

const most = 8, step = 1.5;

/** Shows a picture. address is that of its largest rendition. */
export function openPicture(address, title, alt) {
  return dialog(title, (close) => {
    const image = h("img", { src: address, alt, draggable: "false" });
    const view = h("div", { class: "zoom", tabindex: "0", role: "group", "aria-label": t("desk_report.zoom_how") }, image);
    const { by, reset } = moving(view, image);
    const control = (label, sign, act, testid) => h("button", { type: "button", "aria-label": label, title: label, onclick: act, data: { testid } }, sign);
    return [h("div", { class: "actions" }, control(t("desk_report.zoom_larger"), "+", () => by(step), "zoom-in"), control(t("desk_report.zoom_smaller"), "−", () => by(1 / step), "zoom-out"),
      control(t("desk_report.zoom_whole"), t("desk_report.zoom_whole"), reset, "zoom-reset"), h("button", { type: "button", onclick: () => close() }, t("common.close"))), view];
  }, "full");
}

// Lets a picture be enlarged and moved inside its view.
function moving(view, image) {
  const at = { scale: 1, x: 0, y: 0 }, fingers = new Map();
  const show = () => {
    const box = view.getBoundingClientRect(), limit = (n, size) => Math.max(-size * (at.scale - 1) / 2, Math.min(size * (at.scale - 1) / 2, n));
    at.x = limit(at.x, box.width);
    at.y = limit(at.y, box.height);
    image.style.transform = "translate(" + at.x + "px, " + at.y + "px) scale(" + at.scale + ")";
    view.setAttribute("data-scale", at.scale.toFixed(2));
  };
  // Enlarges by a factor. What is at x, y (from the middle of the view) stays there.
  const by = (factor, x = 0, y = 0) => {
    const scale = Math.max(1, Math.min(most, at.scale * factor)), change = scale / at.scale;
    Object.assign(at, { scale, x: x - (x - at.x) * change, y: y - (y - at.y) * change });
    show();
  };
  const pan = (x, y) => { at.x += x; at.y += y; show(); };
  const reset = () => { Object.assign(at, { scale: 1, x: 0, y: 0 }); show(); };
  const fromMiddle = (e) => { const b = view.getBoundingClientRect(); return [e.clientX - b.left - b.width / 2, e.clientY - b.top - b.height / 2]; };

  view.addEventListener("wheel", (e) => { e.preventDefault(); by(e.deltaY < 0 ? 1.2 : 1 / 1.2, ...fromMiddle(e)); }, { passive: false });
  view.addEventListener("dblclick", (e) => (at.scale > 1 ? reset() : by(2.5, ...fromMiddle(e))));
  view.addEventListener("pointerdown", (e) => { fingers.set(e.pointerId, e); view.setPointerCapture(e.pointerId); });
  for (const name of ["pointerup", "pointercancel"]) view.addEventListener(name, (e) => fingers.delete(e.pointerId));
  view.addEventListener("pointermove", (e) => {
    const before = fingers.get(e.pointerId);
    if (!before) return;
    const other = [...fingers.values()].find((f) => f.pointerId !== e.pointerId);
    if (other) by(apart(e, other) / Math.max(1, apart(before, other)), ...fromMiddle(e));
    else pan(e.clientX - before.clientX, e.clientY - before.clientY);
    fingers.set(e.pointerId, e);
  });
  view.addEventListener("keydown", (e) => {
    const act = { "+": () => by(step), "=": () => by(step), "-": () => by(1 / step), 0: reset, ArrowLeft: () => pan(60, 0), ArrowRight: () => pan(-60, 0), ArrowUp: () => pan(0, 60), ArrowDown: () => pan(0, -60) }[e.key];
    if (!act) return;
    e.preventDefault();
    act();
  });
  return { by, reset };
}

const apart = (a, b) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);

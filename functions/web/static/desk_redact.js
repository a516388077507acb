// Boxes over a picture: what lies under them is made black. They are drawn, or made and moved by keyboard, or typed as numbers.
import { h, fill, field } from "./core.js";
import { text } from "./desk_text.js";

const smallest = 0.01; // of the picture's side
const sides = ["x", "y", "width", "height"];
const round = (n) => Math.round(n * 10000) / 10000;

/** Cuts a box to the picture. Its numbers are fractions of the picture's sides. */
function cut(box) {
  const width = Math.min(1, Math.max(smallest, box.width)), height = Math.min(1, Math.max(smallest, box.height));
  return { x: round(Math.min(1 - width, Math.max(0, box.x))), y: round(Math.min(1 - height, Math.max(0, box.y))), width: round(width), height: round(height) };
}

/**
 * Makes the drawing over a picture; image has its size. boxes is changed in place. Returns the elements: the picture with its boxes, a button that
 * adds one, and a list with the numbers of each.
 */
export function drawing(image, boxes, alt) {
  const layer = h("div", { class: "boxes", tabindex: "-1", data: { testid: "redact-area", first: "" } }, h("img", { src: image.image_url, alt, draggable: "false", width: image.width, height: image.height }));
  if (image.width && image.height) layer.style.maxWidth = Math.round(65 * image.width / image.height) + "vh"; // as wide as the dialog, but never higher than the window
  const list = h("ol", { class: "plain box-list" }), shown = [];
  const said = h("p", { class: "only-read", role: "status" });
  const name = (box, i) => text("box", { n: i + 1, left: per(box.x), top: per(box.y), width: per(box.width), height: per(box.height) });
  const per = (fraction) => Math.round(fraction * 100);

  // Shows box i where it is now, and its numbers but those that are being typed.
  const place = (i) => {
    const box = boxes[i], { el, inputs } = shown[i];
    Object.assign(el.style, { left: box.x * 100 + "%", top: box.y * 100 + "%", width: box.width * 100 + "%", height: box.height * 100 + "%" });
    el.setAttribute("aria-label", name(box, i));
    sides.forEach((side, k) => { if (document.activeElement !== inputs[k]) inputs[k].value = String(per(box[side])); });
  };
  const change = (i, next) => { boxes[i] = cut({ ...boxes[i], ...next }); place(i); };
  const remove = (i) => {
    boxes.splice(i, 1);
    draw();
    (shown.length ? shown[Math.min(i, shown.length - 1)].el : add).focus();
    said.textContent = text("box_removed", { n: i + 1 });
  };
  const draw = () => {
    for (const { el } of shown.splice(0)) el.remove();
    fill(list);
    boxes.forEach((box, i) => {
      const inputs = sides.map((side) => h("input", { type: "number", min: "0", max: "100", step: "1", required: true, data: { testid: "box-" + side }, oninput: (e) => { if (e.target.value !== "") change(i, { [side]: Number(e.target.value) / 100 }); } }));
      const el = h("div", { class: "box", role: "group", tabindex: "0", data: { testid: "box" }, onkeydown: (e) => key(e, i) }, h("span", { "aria-hidden": "true" }, String(i + 1)), h("i", { class: "corner" }));
      shown.push({ el, inputs });
      layer.append(el);
      list.append(h("li", {}, h("strong", {}, text("box_n", { n: i + 1 })), sides.map((side, k) => field(text("box_" + side), inputs[k])),
        h("button", { type: "button", onclick: () => remove(i) }, text("box_remove"))));
      place(i);
    });
  };
  const key = (e, i) => {
    const move = { ArrowLeft: [-0.01, 0], ArrowRight: [0.01, 0], ArrowUp: [0, -0.01], ArrowDown: [0, 0.01] }[e.key], box = boxes[i];
    if (!move && e.key !== "Delete" && e.key !== "Backspace") return;
    e.preventDefault();
    if (!move) remove(i);
    else if (e.shiftKey) change(i, { width: Math.min(box.width + move[0], 1 - box.x), height: Math.min(box.height + move[1], 1 - box.y) });
    else change(i, { x: box.x + move[0], y: box.y + move[1] });
  };
  const insert = (box) => { boxes.push(cut(box)); draw(); return boxes.length - 1; };
  const add = h("button", { type: "button", data: { testid: "box-add" }, onclick: () => shown[insert({ x: 0.4, y: 0.4, width: 0.2, height: 0.2 })].el.focus() }, text("box_add"));
  byPointer(layer, { boxes, shown, insert, change, remove });
  draw();
  return [layer, h("div", { class: "actions" }, add), h("details", {}, h("summary", {}, text("box_numbers")), list), said];
}

// Draws a new box on the picture, moves a box, or changes its size at its corner.
function byPointer(layer, { boxes, shown, insert, change, remove }) {
  let drag = null; // {i, from: the pointer as fractions, box: as it was, mode}
  const at = (e) => {
    const b = layer.getBoundingClientRect(), inside = (n) => Math.max(0, Math.min(1, n));
    return { x: inside((e.clientX - b.left) / b.width), y: inside((e.clientY - b.top) / b.height) };
  };
  layer.addEventListener("pointerdown", (e) => {
    if (e.button > 0) return;
    e.preventDefault();
    const from = at(e), i = shown.findIndex(({ el }) => el.contains(e.target));
    if (i < 0) drag = { i: insert({ ...from, width: 0, height: 0 }), from, mode: "draw" };
    else drag = { i, from, box: boxes[i], mode: e.target.classList.contains("corner") ? "size" : "move" };
    shown[drag.i].el.focus({ preventScroll: true });
    layer.setPointerCapture(e.pointerId);
  });
  layer.addEventListener("pointermove", (e) => {
    if (!drag) return;
    const to = at(e), { from, box, mode } = drag;
    if (mode === "draw") change(drag.i, { x: Math.min(from.x, to.x), y: Math.min(from.y, to.y), width: Math.abs(to.x - from.x), height: Math.abs(to.y - from.y) });
    else if (mode === "move") change(drag.i, { x: box.x + to.x - from.x, y: box.y + to.y - from.y });
    else change(drag.i, { width: Math.min(box.width + to.x - from.x, 1 - box.x), height: Math.min(box.height + to.y - from.y, 1 - box.y) });
  });
  const end = () => {
    // A touch without a movement is no box.
    if (drag && drag.mode === "draw" && boxes[drag.i].width <= smallest && boxes[drag.i].height <= smallest) remove(drag.i);
    drag = null;
  };
  layer.addEventListener("pointerup", end);
  layer.addEventListener("pointercancel", end);
}

// The step of the form that takes a picture.
import { $, t } from "./core.js";
import { scale, PictureError } from "./picture.js";
import { draft } from "./new_report_draft.js";

/** Wires the step. changed(picture or null) is called whenever the picture of the draft is another one. Returns {show(), ready()}. */
export function photoStep(changed) {
  const input = $("[data-testid=photo]"), error = $("#photo-error"), status = $("#photo-status"), image = $("#picture-image");
  let address = "";
  let ready = Promise.resolve();

  /** Shows the picture of the draft. */
  const show = () => {
    const p = draft.entry.picture;
    if (address) URL.revokeObjectURL(address);
    address = p ? URL.createObjectURL(new Blob([p.bytes], { type: "image/jpeg" })) : "";
    $("#picture").hidden = $("#photo-remove").hidden = !p;
    if (p) {
      [image.width, image.height, image.src] = [p.width, p.height, address];
      $("#picture-about").textContent = t("new_report.photo_size", { size: Math.ceil(p.bytes.byteLength / 1000), before: Math.ceil(p.original / 1000) });
    } else image.removeAttribute("src");
    $("#pick span").textContent = t(p ? "new_report.other_photo" : "new_report.take_photo");
    changed(p);
  };
  const put = (picture, takenAt) => {
    draft.entry.picture = picture;
    draft.set("captured_at", takenAt);
    show();
  };
  const take = async (file) => {
    const of = draft.entry.client_id;
    error.textContent = "";
    status.textContent = t("new_report.preparing");
    try {
      const { blob, width, height, exif } = await scale(file);
      const bytes = await blob.arrayBuffer();
      if (draft.entry.client_id === of) put({ bytes, width, height, original: file.size, latitude: exif.latitude, longitude: exif.longitude }, exif.takenAt);
    } catch (e) {
      if (!(e instanceof PictureError)) console.error(e);
      error.textContent = t("new_report." + (e instanceof PictureError ? e.reason : "no_picture"));
    }
    status.textContent = "";
  };
  input.addEventListener("change", () => {
    const file = input.files[0];
    if (!file) return;
    ready = take(file);
    input.value = ""; // the same file may be chosen again
  });
  $("#photo-remove").addEventListener("click", () => put(null, null));
  return { show, ready: () => ready };
}

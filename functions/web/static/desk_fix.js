// Saying that a report is repaired: with a note, with a picture of the repair, or with both.
import { h, ask, field, toast, newID, ApiError } from "./core.js";
import { staffApi } from "./sign_in.js";
import { noteField } from "./desk_fields.js";
import { text } from "./desk_text.js";

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A smaller copy of the picture, where this browser can make one.
async function smaller(file) {
  try {
    const { scale } = await import("./picture.js");
    const { blob } = await scale(file);
    return blob;
  } catch {
    return file;
  }
}

/** Sends a picture of the repair and returns it. The same file is sent once, also when the first answer was lost. */
async function upload(work, file, sent) {
  if (sent.file !== file) Object.assign(sent, { file, key: newID(), image: null, blob: await smaller(file) });
  if (sent.image) return sent.image;
  const body = new FormData();
  body.append("kind", "resolution");
  body.append("file", sent.blob, "repair.jpg");
  sent.image = await staffApi("POST", "/reports/" + work.report.id + "/images", { form: body, headers: { "Idempotency-Key": sent.key } });
  return sent.image;
}

// Waits until the picture can be seen: it counts from then on. Says what to do where that takes long.
async function made(work, image) {
  for (let i = 0; i < 15; i++) {
    const read = await work.read();
    const found = read.report.images.find((x) => x.id === image.id);
    if (!found || found.status === "refused") throw new ApiError(422, { detail: text("fix_refused") }, null);
    if (found.status === "processed") return read;
    await wait(2000);
  }
  throw new ApiError(409, { detail: text("fix_waits") }, null);
}

/** Asks for the note and the picture. sent outlives an error, so that nothing is sent twice. */
export function fix(work) {
  const photo = h("input", { type: "file", accept: "image/*", data: { testid: "photo" } }), sent = {};
  const note = noteField(work, "fix", { status: "fixed", hint: text("fix_hint") });
  return ask("fix", text("act_fix"), {
    text: text("why_fix"), controls: [field(text("fix_photo"), photo), note.el],
    send: async () => {
      if (!photo.files[0] && !note.value()) throw new ApiError(422, { detail: text("fix_nothing") }, null);
      if (photo.files[0]) {
        const was = work.report.status, image = await upload(work, photo.files[0], sent);
        const read = note.value() ? await work.read() : await made(work, image);
        // The picture was a change of one's own. What others did meanwhile is told before the report is closed.
        const others = work.since({ log: read.log.filter((e) => e.actor.id !== work.user.id && e.actor.role !== "system") }); // the system made it
        work.take(read);
        if (others.length || read.report.status !== was) throw new ApiError(409, { detail: text("stale", { what: others.join("; ") }) }, null);
      }
      const answer = await work.change("/status", { status: "fixed", note: note.value() || undefined });
      note.sent();
      toast(text("done_fix"));
      return answer;
    },
  });
}

// Hiding and showing words, pictures and comments, and deciding about flags.
import { ask, toast } from "./core.js";
import { noteField, reasonField } from "./desk_fields.js";
import { text, known } from "./desk_text.js";

/** An action with a note for staff alone. path is that of the report, what follows it. */
export function plain(work, name, path) {
  const note = noteField(work, name + path, { label: text("note_staff"), hint: text("note_optional") });
  return ask(name, text("act_" + name.replace("-", "_")), {
    text: known("why_" + name, ""), controls: note.el,
    send: async () => {
      const answer = await work.change(path, { note: note.value() || undefined });
      note.sent();
      toast(text("done_" + name));
      return answer;
    },
  });
}

/** Hides something: the words of the report, a picture or a comment. what is words, picture or comment. */
export function hide(work, path, what) {
  const reason = reasonField(), note = noteField(work, "hide" + path, { label: text("note_staff"), hint: text("note_other_hide") });
  return ask("hide", text("hide_" + what), {
    text: text("why_hide_" + what), controls: [reason.el, note.el], danger: true,
    send: async () => {
      const answer = await work.change(path, { reason_code: reason.value(), note: note.value() || undefined });
      note.sent();
      toast(text("done_hide"));
      return answer;
    },
  });
}

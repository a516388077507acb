// Who works on a report: assigning it, and handing it back.
import { h, ask, field, select, fill, toast, named, ApiError } from "./core.js";
import { noteField } from "./desk_fields.js";
import { assignee } from "./desk_log.js";
import { text } from "./desk_text.js";

const dayInDili = (iso) => new Date(Date.parse(iso) + 9 * 3600e3).toISOString().slice(0, 10);

// A deadline is the end of that day in Dili.
const endOfDay = (date) => new Date(Date.parse(date + "T23:59:59Z") - 9 * 3600e3).toISOString();

/**
 * Asks for agency, person and deadline. What is not chosen stays as it is: a person or a deadline can be replaced and not taken
 * away. Officials assign within their agency.
 */
export function assign(work) {
  const { report: r } = work;
  const agencies = work.user.role === "government_official" ? work.agencies.filter((a) => a === work.agency) : work.agencies;
  const present = r.assigned_agency ? r.assigned_agency.id : "", now = assignee(work.log, work.agencies);
  const first = present ? [] : [["", text("agency_fitting")]];
  const agency = select([...first, ...agencies.map((a) => [a.id, named(a) + " (" + text("agency_open", { n: a.open }) + ")"])], { name: "agency_id", data: { testid: "agency" } }, present);
  const person = select([], { name: "user_id", data: { testid: "person" } });
  const people = () => {
    const of = agencies.find((a) => a.id === agency.value), chosen = now && agency.value === present ? now.id : "";
    fill(person, chosen ? null : h("option", { value: "" }, text("person_nobody")), (of ? of.people : []).map((p) => h("option", { value: p.id, selected: p.id === chosen }, p.full_name)));
  };
  agency.addEventListener("change", people);
  people();
  const was = r.due_at ? dayInDili(r.due_at) : "";
  const due = h("input", { type: "date", name: "due_at", min: dayInDili(new Date().toISOString()), value: was, required: Boolean(was), data: { testid: "due" } });
  const note = noteField(work, "assign", { label: text("note_staff"), hint: text("note_optional") });
  return ask("assign", text("act_assign"), {
    text: text("why_assign"), controls: [field(text("member_agency_id"), agency), field(text("member_user_id"), person), field(text("member_due_at"), due, r.due_at ? "" : text("due_hint")), note.el],
    send: async () => {
      const body = { note: note.value() || undefined };
      if (agency.value !== present) body.agency_id = agency.value;
      if (person.value && (!now || person.value !== now.id || agency.value !== present)) body.user_id = person.value;
      if (due.value && due.value !== was) body.due_at = endOfDay(due.value);
      if (present && !Object.values(body).some(Boolean)) throw new ApiError(0, { detail: text("assign_nothing") }, null);
      const answer = await work.change("/assign", body);
      note.sent();
      toast(text("done_assign"));
      return answer;
    },
  });
}

/** Takes a report off its agency. The note is told to the moderators. An official has no more to do with it: it closes. */
export async function handBack(work) {
  const others = work.agencies.filter((a) => a.id !== work.report.assigned_agency.id);
  const agency = select([["", text("agency_unknown")], ...others.map((a) => [a.id, named(a)])], { name: "agency_id", data: { testid: "agency" } });
  const note = noteField(work, "hand-back", { label: text("note_moderators"), required: true });
  const answer = await ask("hand-back", text("act_hand_back"), {
    text: text("why_hand_back"), controls: [note.el, field(text("agency_suggested"), agency)],
    send: async () => {
      const sent = await work.change("/hand-back", { note: note.value(), agency_id: agency.value || undefined });
      note.sent();
      toast(text("done_hand_back"));
      return sent;
    },
  });
  if (answer && work.user.role === "government_official") work.leave();
  return answer;
}

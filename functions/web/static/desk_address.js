// The address of the desk holds queue, filters, order and the open report: a reload, the back button and a link keep them.

/** The queues, in the order of their tabs. */
export const kinds = ["new", "needs_review", "flagged", "assigned", "mine", "overdue"];

/** The filters and the order, by the names that the API has for them. */
const filterNames = ["q", "status", "issue_type", "severity", "municipality", "agency", "assigned_to", "source", "ai_status", "due_before", "reporter", "bbox", "sort", "order"];

/** Reads the address: {kind, filters, report}. first is the queue of an address that names none. */
export function readAddress(first) {
  const given = new URLSearchParams(location.search);
  const filters = {};
  for (const name of filterNames) if (given.get(name)) filters[name] = given.get(name);
  return { kind: kinds.includes(given.get("kind")) ? given.get("kind") : first, filters, report: given.get("report") || "" };
}

/** The parameters of a queue with its filters, for the API and for the address. */
export function parameters(state, more = {}) {
  return new URLSearchParams({ kind: state.kind, ...state.filters, ...more });
}

/** The address of a state. */
export const addressOf = (state) => "/desk?" + parameters(state, state.report ? { report: state.report } : {});

// What the rules of the API let a person do with a report (shared/report/rules.go). The server decides in the end.

/** Says what the person may do with the report. */
export function rights({ report: r, user, agency }) {
  const moderates = user.role !== "government_official";
  const final = Boolean(r.removed && r.removed.status !== "rejected");
  return {
    moderates: moderates && !final,
    works: !final && (user.role === "admin" || !moderates && Boolean(agency) && (!r.assigned_agency || r.assigned_agency.id === agency.id)),
    /** A report of another agency is for reading. */
    any: !final && (moderates || !r.assigned_agency || Boolean(agency) && r.assigned_agency.id === agency.id),
    open: ["pending", "verified", "in_progress"].includes(r.status),
    appeal: Boolean(r.appeal) && r.status === "rejected" && r.ai_status === "needs_review",
  };
}

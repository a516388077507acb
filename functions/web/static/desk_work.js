// Work on one report: what is known of it, and its changes. Each change names the version that the person has seen.
import { t, api, ApiError } from "./core.js";
import { staffApi } from "./sign_in.js";
import { sentence } from "./desk_log.js";
import { text } from "./desk_text.js";

export class Work {
  /** desk has user, agencies, templates. paint() is called when the report was read, changed(report) after a change, leave() leads back to the list. */
  constructor(ref, { user, agencies, templates, paint, changed, leave, next }) {
    Object.assign(this, { path: "/reports/" + encodeURIComponent(ref), user, agencies, templates, paint, changed, leave, next, report: null, log: [], tag: "", readAt: 0, news: null });
    /** The agency of an official; null for others. */
    this.agency = user.role === "government_official" ? agencies.find((a) => a.people.some((p) => p.id === user.id)) || null : null;
  }

  /** Reads report and log. call is api or staffApi. */
  async read(call = staffApi, headers = {}) {
    const { answer, content } = await call("GET", this.path, { full: true, headers });
    const log = await call("GET", this.path + "/log");
    return { report: content, log, tag: answer.headers.get("ETag") || "" };
  }

  /** Takes what was read as what the person sees. */
  take(read) {
    Object.assign(this, read, { readAt: Date.now(), news: null });
    this.paint();
  }

  async reload() {
    this.take(await this.read());
  }

  /** Reads a comment, which is among the newest; null if it is not there any more. */
  async commentOf(id) {
    const path = "/reports/" + this.report.id + "/comments?page_size=50&page=";
    let answer = await api("GET", path + "1");
    if (answer.total_pages > 1) answer = await api("GET", path + answer.total_pages);
    return answer.items.find((c) => c.id === id) || null;
  }

  /** Says what was done since the person has seen the report. */
  since(read) {
    const last = this.log.length ? this.log[this.log.length - 1].at : "";
    return read.log.filter((e) => e.at > last).map((e) => sentence(e, this));
  }

  /**
   * Makes a change and reads the report again. body gets the version that was seen; with match it is sent as If-Match. If
   * somebody else changed the report meanwhile, nothing is changed: the report is read again, and the error says what happened.
   */
  async change(path, body = {}, { method = "POST", match = false, headers = {} } = {}) {
    const request = match ? { body, headers: { ...headers, "If-Match": '"v' + this.report.version + '"' } }
      : { body: { ...body, expected_version: this.report.version }, headers };
    let answer;
    try {
      answer = await staffApi(method, "/reports/" + this.report.id + path, request);
    } catch (e) {
      throw await this.explained(e);
    }
    await this.changedNow();
    return answer;
  }

  /** Reads the report after a change of one's own. A change that was made stays made if this fails. */
  async changedNow() {
    try {
      await this.reload();
    } catch { /* the next look reads it */ }
    this.changed(this.report);
  }

  /** Returns an error in words that help: what happened meanwhile, or what is possible now. */
  async explained(e) {
    if (e.code === "stale" || e.status === 412) return this.stale(e);
    if (e.body && Array.isArray(e.body.allowed) && e.status === 409) {
      const moves = e.body.allowed.map((s) => t("label.status." + s)).join(", ");
      await this.reload().catch(() => {});
      return new ApiError(e.status, { ...e.body, detail: e.message + " " + (moves ? text("allowed", { moves }) : text("allowed_none")) }, null);
    }
    return e;
  }

  async stale(e) {
    const read = await this.read().catch(() => null);
    if (!read) return e;
    const done = this.since(read);
    this.take(read);
    this.changed(this.report);
    return new ApiError(e.status, { ...e.body, detail: done.length ? text("stale", { what: done.join("; ") }) : text("stale_unknown") }, null);
  }

  /** Looks whether others changed the report, without a word if it cannot. Then news has what was read and what was done. */
  async look() {
    if (!this.report) return;
    // A picture that is being made changes no version.
    const making = this.report.images.some((i) => i.status === "pending");
    try {
      const read = await this.read(api, making || !this.tag ? {} : { "If-None-Match": this.tag });
      if (read.report.version === this.report.version) {
        if (making) this.take(read);
        return;
      }
      this.news = { read, done: this.since(read) };
      this.paint();
    } catch { /* 304, no connection, or an ended session: the next change says so */ }
  }

  /** Reads the report again if the addresses of its pictures may have ended. They are good for 15 minutes. */
  async fresh() {
    if (Date.now() - this.readAt > 600e3) await this.reload();
  }
}

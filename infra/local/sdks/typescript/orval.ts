// Signs in, files a report, reads it and a list, and gets one error by its code.
import { getReportsId, getReportsMyReports, postAuthEmailCodeVerify, postReports } from "../out/orval/client";
import { print, setting, unknown } from "./setting";

async function main() {
  const signedIn = await postAuthEmailCodeVerify({ email: setting("EMAIL"), otp: setting("CODE") });
  if (signedIn.status !== 200 || signedIn.data.kind !== "tokens") throw new Error("no tokens");
  const options = { headers: { Authorization: `Bearer ${signedIn.data.access_token}` } };

  const report = { client_id: setting("CLIENT_ID"), issue_type: "pothole", latitude: -8.5569, longitude: 125.5603, description: "Deep hole" } as const;
  const filed = await postReports(report, options);
  if (filed.status !== 201) throw new Error(`the report was answered by ${filed.status}`);
  const { id } = filed.data;
  const read = await getReportsId(id, options);
  const list = await getReportsMyReports({ page_size: 20 }, options);
  const missing = await getReportsId(unknown, options);
  if (read.status !== 200 || list.status !== 200 || missing.status !== 404) throw new Error("a report that was filed cannot be read");
  print({
    number: read.data.report_number,
    status: read.data.status,
    listed: list.data.items.some((r) => r.id === id),
    code: missing.data.code,
  });
}

main();

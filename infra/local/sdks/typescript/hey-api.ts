// Signs in, files a report, reads it and a list, and gets one error by its code.
import { client } from "../out/hey-api/client.gen";
import { getReportsId, getReportsMyReports, postAuthEmailCodeVerify, postReports } from "../out/hey-api";
import { print, setting, unknown } from "./setting";

async function main() {
  const signedIn = await postAuthEmailCodeVerify({ body: { email: setting("EMAIL"), otp: setting("CODE") }, throwOnError: true });
  if (signedIn.data.kind !== "tokens") throw new Error("no tokens");
  client.setConfig({ auth: signedIn.data.access_token });

  const filed = await postReports({
    body: { client_id: setting("CLIENT_ID"), issue_type: "pothole", latitude: -8.5569, longitude: 125.5603, description: "Deep hole" },
    throwOnError: true,
  });
  const { id } = filed.data;
  const read = await getReportsId({ path: { id }, throwOnError: true });
  const list = await getReportsMyReports({ query: { page_size: 20 }, throwOnError: true });
  const missing = await getReportsId({ path: { id: unknown } });
  if (!missing.error) throw new Error("a report that nobody filed was found");
  print({
    number: read.data.report_number,
    status: read.data.status,
    listed: list.data.items.some((r) => r.id === id),
    code: missing.error.code,
  });
}

main();

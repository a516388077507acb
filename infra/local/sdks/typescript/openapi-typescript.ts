// Signs in, files a report, reads it and a list, and gets one error by its code.
import createClient from "openapi-fetch";
import type { paths } from "../out/openapi-typescript/schema";
import { print, setting, unknown } from "./setting";

async function main() {
  const client = createClient<paths>({ baseUrl: setting("API") });
  const signedIn = await client.POST("/api/v1/auth/email-code/verify", { body: { email: setting("EMAIL"), otp: setting("CODE") } });
  if (signedIn.data?.kind !== "tokens") throw new Error("no tokens");
  const headers = { Authorization: `Bearer ${signedIn.data.access_token}` };

  const filed = await client.POST("/api/v1/reports", {
    headers,
    body: { client_id: setting("CLIENT_ID"), issue_type: "pothole", latitude: -8.5569, longitude: 125.5603, description: "Deep hole" },
  });
  if (!filed.data) throw new Error(filed.error.code);
  const { id } = filed.data;
  const read = await client.GET("/api/v1/reports/{id}", { headers, params: { path: { id } } });
  if (!read.data) throw new Error("the report cannot be read");
  const list = await client.GET("/api/v1/reports/my-reports", { headers, params: { query: { page_size: 20 } } });
  const missing = await client.GET("/api/v1/reports/{id}", { headers, params: { path: { id: unknown } } });
  if (!missing.error) throw new Error("a report that nobody filed was found");
  print({
    number: read.data.report_number,
    status: read.data.status,
    listed: list.data?.items.some((r) => r.id === id) ?? false,
    code: missing.error.code,
  });
}

main();

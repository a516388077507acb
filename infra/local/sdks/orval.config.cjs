// The address of the server is taken from the document. Where an operation takes JSON or something else, orval sends JSON without the
// header Content-Type, and the server refuses that. Without the others it sends the header.
const others = ["multipart/form-data", "application/octet-stream", "application/gpx+xml", "application/geo+json"];

module.exports = {
  api: {
    input: "out/openapi.json",
    output: {
      target: "out/orval/client.ts",
      client: "fetch",
      baseUrl: { getBaseUrlFromSpecification: true },
      override: { contentType: { exclude: others } },
    },
  },
};

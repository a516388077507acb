// The address of the server is taken from the document.
module.exports = {
  api: {
    input: "out/openapi.json",
    output: { target: "out/orval/client.ts", client: "fetch", baseUrl: { getBaseUrlFromSpecification: true } },
  },
};

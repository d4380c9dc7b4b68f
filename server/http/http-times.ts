/** Room for Laravel's cookies and a token in the query; longer kept alive than a proxy in front keeps it. */
export const HTTP_TIMES = {
  headersTimeoutMs: 20_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 75_000,
  maxHeaderBytes: 32_768,
};

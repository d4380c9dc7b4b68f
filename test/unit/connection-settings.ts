/** Of a connection in a unit test: small numbers, which are soon reached; a test names those that it is about. */
export const CONNECTION_SETTINGS = {
  maxPendingCommands: 1,
  maxPendingBytes: 1_000,
  whisperBurst: 4,
  whispersPerSecond: 1,
  joinBurst: 100,
  joinsPerSecond: 10,
  commandBurst: 1,
  commandsPerSecond: 1,
  outboxBytes: 1,
};

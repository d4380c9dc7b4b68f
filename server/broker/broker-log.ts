/** What the broker tells the operator; pino's shape. Payloads and passwords never go in. */
export interface BrokerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

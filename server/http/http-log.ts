/** What the HTTP parts write to a log; pino fits. Never given a query, header or body: tokens travel in them. */
export interface HttpLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

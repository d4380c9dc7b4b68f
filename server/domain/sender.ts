/** Who caused a room message. The system user is what Laravel's own messages come from. */
export interface Sender {
  /** JSON text: a number, or a string where Laravel's ids are no canonical decimals. */
  readonly idJson: string;
  readonly name: string;
}

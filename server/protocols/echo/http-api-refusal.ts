import type { Response } from 'express';
import type { Rejection } from '../../domain/outcome.ts';

/** A refusal as laravel-echo-server spells it, `{"error"}`, with our code added. */
export function sendRejection(res: Response, { status, code, message }: Rejection): void {
  res.status(status).json({ error: message, code });
}

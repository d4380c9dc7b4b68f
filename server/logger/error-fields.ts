/** What of an error is logged. */
export interface ErrorFields {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorFields;
}

/** A chain of causes that goes round must not go round here. */
const MAX_CAUSES = 5;

/**
 * Picks an error's fields by name, since pino's own serializer takes whatever hangs on it: ioredis puts the
 * whole command there, and the arguments of AUTH are the password.
 */
export function errorFields(error: unknown, depth = 0): ErrorFields {
  if (!(error instanceof Error)) return { type: typeof error, message: maskSecrets(String(error)) };
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return {
    type: error.name,
    message: maskSecrets(error.message),
    ...(typeof code === 'string' && { code }),
    ...(error.stack !== undefined && { stack: maskSecrets(error.stack) }),
    ...(cause !== undefined && depth < MAX_CAUSES && { cause: errorFields(cause, depth + 1) }),
  };
}

/** Tokens, bearers and passwords of URLs inside a text that somebody else wrote. */
export function maskSecrets(text: string): string {
  return text
    .replaceAll(/(?<![\w.-])[\w.-]+/g, maskTokenIn)
    .replaceAll(/\b(token|auth_key|auth_signature)=[^&\s"']+/g, '$1=***')
    .replaceAll(/\bBearer\s+[^\s"']+/gi, 'Bearer ***')
    .replaceAll(/:\/\/[^/\s@]*@/g, '://***@');
}

/** Looked for in one word at a time: a pattern for the token itself takes the square of a text that begins many. */
function maskTokenIn(word: string): string {
  const at = word.indexOf('eyJ');
  return at >= 0 && word.slice(at).split('.').length > 2 ? `${word.slice(0, at)}***` : word;
}

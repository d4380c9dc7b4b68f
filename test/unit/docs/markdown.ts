/** A fenced block of code. */
interface CodeBlock {
  readonly language: string;
  readonly code: string;
}

export function codeBlocks(markdown: string, language?: string): readonly CodeBlock[] {
  const blocks = [...markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(
    ([, name = '', code = '']): CodeBlock => ({ language: name, code }),
  );
  return language === undefined ? blocks : blocks.filter((block) => block.language === language);
}

function withoutCodeBlocks(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```$/gm, '');
}

/** What stands between single backticks. */
export function inlineCode(markdown: string): readonly string[] {
  return [...withoutCodeBlocks(markdown).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

/** Targets of links and pictures, save for those that leave the project. */
export function localLinks(markdown: string): readonly string[] {
  const text = withoutCodeBlocks(markdown).replace(/`[^`\n]*`/g, '');
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)];
  return targets.map(([, link, picture]) => link ?? picture ?? '').filter((to) => !/^[a-z]+:/.test(to));
}

/** The anchors of the headings, made as forges make them. */
export function anchors(markdown: string): ReadonlySet<string> {
  const headings = [...withoutCodeBlocks(markdown).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => text);
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

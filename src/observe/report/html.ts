/** Markup from template literals: whatever is put in is text, unless it is markup of this kind itself. */

/** Markup that may be put into a page as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Html | readonly Html[];

/** html`<p>${text}</p>`: strings and numbers are escaped, so that no log line becomes markup. */
export function html(markup: TemplateStringsArray, ...parts: Part[]): Html {
  let text = '';
  for (const [index, piece] of markup.entries()) {
    const part = parts[index];
    text += piece + (part === undefined ? '' : inserted(part));
  }
  return new Html(text);
}

function inserted(part: Part): string {
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map((each) => each.text).join('');
  return escapeHtml(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For text and for attributes in quotes. Control characters, which no page may hold, become replacement characters. */
export function escapeHtml(text: string): string {
  return (
    text
      .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
  );
}

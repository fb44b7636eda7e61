/** What is put into the page is text. */
import { describe, expect, it } from 'vitest';
import { escapeHtml, html } from '../../../../src/observe/report/html.js';

describe('markup', () => {
  it('escapes strings and keeps markup', () => {
    const name = `<script>alert("1" & '2')</script>`;
    const inner = [html`<i>${name}</i>`, html`<b>${2}</b>`];
    expect(html`<p title="${name}">${inner}</p>`.text).toBe(
      '<p title="&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;"><i>&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;</i><b>2</b></p>',
    );
  });

  it('shows characters that turn or end text', () => {
    expect(escapeHtml('a\u0000b\u001b[31mc\u202ed\n')).toBe('a\ufffdb\ufffd[31mc\ufffdd\n');
  });
});

import { useState } from 'react';

/** Puts a text into the clipboard, and tells what came of it. */
export function useCopied() {
  const [said, setSaid] = useState('');
  async function copy(text: string, what: string) {
    setSaid('');
    try {
      await navigator.clipboard.writeText(text);
      setSaid(`${what} in the clipboard.`);
    } catch {
      // Browsers give the clipboard only to pages over HTTPS and of this machine.
      setSaid('This browser does not give the clipboard to this page: mark the text and copy it.');
    }
  }
  return { said, copy };
}

/**
 * The shapes that stand beside words: whoever does not see their colours sees them.
 *
 * @module
 */

import type { ConnectionLevel } from '../../lib/monitor'
import { html, type Html } from '../html'

const SHAPES = {
  disc: html`<circle cx="5" cy="5" r="4.5" fill="currentColor" />`,
  half: html`<circle cx="5" cy="5" r="4" fill="none" stroke="currentColor" /><path
      d="M5 1a4 4 0 0 1 0 8z"
      fill="currentColor"
    />`,
  ring: html`<circle cx="5" cy="5" r="3.8" fill="none" stroke="currentColor" stroke-width="1.4" />`,
  triangle: html`<path
    d="M5 1 9.5 9h-9z"
    fill="none"
    stroke="currentColor"
    stroke-width="1.3"
    stroke-linejoin="round"
  />`,
  warning: html`<path d="M5 .6 9.8 9.4H.2z" fill="currentColor" />`,
  cross: html`<path d="m1.5 1.5 7 7m0-7-7 7" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" />`,
  dash: html`<path d="M1 5h8" stroke="currentColor" stroke-width="2" stroke-linecap="round" />`,
  clock: html`<circle cx="5" cy="5" r="4.2" fill="none" stroke="currentColor" stroke-width="1.2" /><path
      d="M5 2.5V5l1.8 1"
      fill="none"
      stroke="currentColor"
      stroke-width="1.2"
      stroke-linecap="round"
    />`,
} as const

export type Shape = keyof typeof SHAPES

export function mark(shape: Shape): Html {
  return html`<svg class="mark" viewBox="0 0 10 10" aria-hidden="true" focusable="false">${SHAPES[shape]}</svg>`
}

/** How good something is: a colour. */
export type Tone = 'good' | 'fine' | 'plain' | 'warn' | 'bad'

/** A word with its shape and colour. */
export function status(tone: Tone, shape: Shape, word: string): Html {
  return html`<span class="status ${tone}">${mark(shape)}${word}</span>`
}

/** How a level looks, in which words, and what it means. */
export const LEVEL_LOOKS: Readonly<
  Record<
    ConnectionLevel,
    { readonly word: string; readonly tone: Tone; readonly shape: Shape; readonly meaning: string }
  >
> = {
  verified: {
    word: 'Verified',
    tone: 'good',
    shape: 'disc',
    meaning: 'TLS, the host authenticated as its domain asks',
  },
  trusted: { word: 'Trusted', tone: 'fine', shape: 'half', meaning: 'TLS with a valid certificate' },
  untrusted: { word: 'Untrusted', tone: 'plain', shape: 'ring', meaning: 'TLS with a certificate that proves nothing' },
  'clear-text': { word: 'Clear text', tone: 'warn', shape: 'triangle', meaning: 'no TLS' },
  refused: { word: 'Refused', tone: 'bad', shape: 'cross', meaning: 'not delivered to: a policy or a rule forbids it' },
}

export function levelStatus(level: ConnectionLevel): Html {
  const { word, tone, shape } = LEVEL_LOOKS[level]
  return status(tone, shape, word)
}

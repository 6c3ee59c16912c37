/**
 * The resolvers' health.
 *
 * @module
 */

import type { ResolverHealthView, ResolverView } from '../../views'
import type { MachineResolver, ResolverData } from '../data/resolver'
import { html, type Html } from '../html'
import type { Page } from './frame'
import { status } from './marks'
import { empty, said, section, table, when, type Context } from './parts'

const HEALTH: Readonly<Record<ResolverHealthView, { readonly look: Html; readonly meaning: string }>> = {
  validates: { look: status('good', 'disc', 'validates'), meaning: 'DNSSEC is validated, and DANE is available.' },
  fails: {
    look: status('bad', 'cross', 'does not validate'),
    meaning: 'Signed names do not come with the AD flag, or not at all. DANE is not available until they do.',
  },
  unanswered: {
    look: status('warn', 'warning', 'no answer'),
    meaning: 'The last test had no answer, which shows nothing.',
  },
  'not-believed': {
    look: status('warn', 'triangle', 'not believed'),
    meaning: 'Its word on DNSSEC does not count (trust-ad), so DANE is not available.',
  },
}

export function resolverStatus({ health }: ResolverView): Html {
  return HEALTH[health].look
}

export function resolverPage({ resolvers }: ResolverData, context: Context): Page {
  return {
    title: 'Resolver',
    lead: 'Each machine tests its name servers at the start and every hour: signed names must come with the AD flag.',
    body:
      resolvers.length === 0
        ? section('none', 'Not tested yet', empty('The plugin outbound-tls tests the resolver when Haraka starts.'))
        : resolvers.map((one, index) => machine(one, `machine-${index}`, context)),
  }
}

function machine(one: MachineResolver, id: string, context: Context): Html {
  const servers = table(
    `Name servers of ${one.machine}`,
    [
      { head: 'Server', cell: ({ server }) => html`<span class="mono">${said(server, 80)}</span>` },
      { head: 'Test', cell: serverStatus },
      { head: 'What it said', kind: 'why', cell: ({ text }) => said(text, 500) },
    ],
    one.servers,
  )
  return section(
    id,
    one.machine,
    html`<p>${resolverStatus(one)} – ${HEALTH[one.health].meaning}</p>
      ${servers}`,
    html`<span class="faint small">tested ${when(one.at, context)}</span>`,
  )
}

function serverStatus({ validates, answered }: ResolverView['servers'][number]): Html {
  if (validates) return status('good', 'disc', 'validates')
  return answered ? status('bad', 'cross', 'does not validate') : status('warn', 'warning', 'no answer')
}

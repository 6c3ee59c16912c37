/** A report of ours, as it is sent. */
export const REPORT = {
  'organization-name': 'Example Hosting',
  'date-range': { 'start-datetime': '2026-11-24T00:00:00Z', 'end-datetime': '2026-11-24T23:59:59Z' },
  'contact-info': 'tls@example.net',
  'report-id': '20261124.krause-logistik.example@example.net',
  policies: [
    {
      policy: {
        'policy-type': 'tlsa',
        'policy-string': ['3 1 1 9F86D081'],
        'policy-domain': 'mx1.krause-logistik.example',
      },
      summary: { 'total-successful-session-count': 0, 'total-failure-session-count': 11 },
      'failure-details': [
        {
          'result-type': 'validation-failure',
          'receiving-mx-hostname': 'mx1.krause-logistik.example',
          'failed-session-count': 11,
          'failure-reason-code': 'dane-no-match',
        },
      ],
    },
  ],
}

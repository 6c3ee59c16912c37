import { createSqliteCache } from '../../../dist/lib/mta-sts/index.js'
import { describeCache } from './cache-contract.ts'

describeCache('SQLite', () => Promise.resolve(({ path }) => createSqliteCache({ path, log: () => undefined })))

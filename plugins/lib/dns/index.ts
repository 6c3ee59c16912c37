export type { Answer, Failure, FailureClass, Lookup, RecordData, RecordType, Security, TlsaData } from './answer'

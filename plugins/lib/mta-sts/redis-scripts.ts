/**
 * What Redis does as a whole for the cache of policies. A server whose memory is full refuses a script at its first
 * write that takes memory: nothing has changed then.
 *
 * @module
 */

import { defineScript } from '../store'

/**
 * Keys: policy, failures, by expiry, by refresh, generation, those of its mode, those of the other modes, failing refreshes.
 * Words: domain, id, body, fetched, expires, used, refresh or nothing, failures, lifetime, next generation.
 */
export const SAVE = defineScript(`
local used = math.max(tonumber(redis.call('HGET', KEYS[1], 'used')) or 0, tonumber(ARGV[6]))
redis.call('HSET', KEYS[1], 'id', ARGV[2], 'body', ARGV[3], 'fetched', ARGV[4], 'expires', ARGV[5],
  'used', string.format('%.0f', used), 'failures', ARGV[8])
redis.call('PEXPIRE', KEYS[1], ARGV[9])
redis.call('ZADD', KEYS[3], ARGV[5], ARGV[1])
if ARGV[7] == '' then
  redis.call('HDEL', KEYS[1], 'refresh')
  redis.call('ZREM', KEYS[4], ARGV[1])
else
  redis.call('HSET', KEYS[1], 'refresh', ARGV[7])
  redis.call('ZADD', KEYS[4], ARGV[7], ARGV[1])
end
redis.call('DEL', KEYS[2])
redis.call('ZADD', KEYS[6], ARGV[5], ARGV[1])
for i = 7, 9 do redis.call('ZREM', KEYS[i], ARGV[1]) end
if tonumber(ARGV[8]) > 0 then redis.call('ZADD', KEYS[9], ARGV[5], ARGV[1]) end
redis.call('SET', KEYS[5], ARGV[10])
`)

/**
 * Keys: policy, failures, by expiry, by refresh, generation, those of each mode, failing refreshes. Words: domain, next generation. Answer: whether there was one. What frees
 * memory comes first: it must succeed where there is none.
 */
export const DROP = defineScript(`
local dropped = redis.call('DEL', KEYS[1])
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
for i = 6, 9 do redis.call('ZREM', KEYS[i], ARGV[1]) end
redis.call('SET', KEYS[5], ARGV[2])
return dropped
`)

/** Keys: claim. Words: owner, milliseconds. */
export const RENEW = defineScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
`)

/** Keys: claim. Words: owner. */
export const RELEASE = defineScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
`)

/**
 * Keys: failures. Words: id, failure beginning with its time, lifetime. Only the latest ones are kept: others choose the ids of their
 * records.
 */
export const NOTE_FAILED_FETCH = defineScript(`
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
while redis.call('HLEN', KEYS[1]) > 10 do
  local all, oldest, since = redis.call('HGETALL', KEYS[1]), nil, math.huge
  for i = 1, #all, 2 do
    local at = tonumber(string.match(all[i + 1], '^%d+')) or 0
    if at < since and all[i] ~= ARGV[1] then oldest, since = all[i], at end
  end
  redis.call('HDEL', KEYS[1], oldest)
end
`)

/**
 * Keys: by refresh. Words: prefix of policies, now, used since, horizon, limit. Those that are expired or not used any more are not
 * looked at again: {@link NOTE_USES} and {@link SAVE} bring them back.
 */
export const DUE = defineScript(`
local now, since, limit, due = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[5]), {}
local function take(domains)
  for _, domain in ipairs(domains) do
    if #due == limit then return end
    local facts = redis.call('HMGET', ARGV[1] .. domain, 'used', 'expires')
    if facts[1] and tonumber(facts[1]) >= since and tonumber(facts[2]) > now then
      due[#due + 1] = domain
    else
      redis.call('ZREM', KEYS[1], domain)
    end
  end
end
take(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[2], 'LIMIT', 0, 1000))
take(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[4], '+inf', 'LIMIT', 0, 1000))
return due
`)

/** Keys: policy, by refresh, failing refreshes. Words: domain, next refresh. Answer: how many in a row have failed now. */
export const NOTE_FAILED_REFRESH = defineScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
redis.call('HSET', KEYS[1], 'refresh', ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
redis.call('ZADD', KEYS[3], redis.call('HGET', KEYS[1], 'expires'), ARGV[1])
return failures
`)

/** Keys: by refresh. Words: prefix of policies, then domain and time of each. */
export const NOTE_USES = defineScript(`
for i = 2, #ARGV, 2 do
  local key = ARGV[1] .. ARGV[i]
  if redis.call('EXISTS', key) == 1 then
    redis.call('HSET', key, 'used', ARGV[i + 1])
    local refresh = redis.call('HGET', key, 'refresh')
    if refresh then redis.call('ZADD', KEYS[1], refresh, ARGV[i]) end
  end
end
`)

/** Keys: by expiry, by refresh, those of each mode, failing refreshes. Words: prefix of policies, before, at most. Answer: how many were removed. */
export const REMOVE_OLD = defineScript(`
local old = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[2], 'LIMIT', 0, ARGV[3])
for _, domain in ipairs(old) do
  redis.call('DEL', ARGV[1] .. domain)
  redis.call('ZREM', KEYS[1], domain)
  redis.call('ZREM', KEYS[2], domain)
end
for i = 3, 6 do redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', '(' .. ARGV[2]) end
return #old
`)

/**
 * What Redis does as a whole for outcomes. Scripts make up names of keys, so they need a server that has all of them.
 *
 * @module
 */

import { defineScript } from '../store'
import { MOST_DETAILS, MOST_POLICIES, MOST_SESSION_KINDS } from './fold'
import { TOO_LONG } from './redis-keys'
import { DAY, HOUR } from './written'

/**
 * Adds a batch, once: its number is noted first, and that is what a server without memory refuses before anything has changed.
 *
 * Keys: writer, closed, hours, days. Words: prefix, number, lifetime, lifetime of the writer; how many texts, name and text of each;
 * how many counts of policies, hour, domain, name of the policy and of the folded one, detail and folded one, count of each; how many
 * counts of sessions, hour, domain, kind and folded one, count of each. Answer: whether it is new, booked forward, folded.
 */
export const ADD = defineScript(`
if (tonumber(redis.call('GET', KEYS[1])) or 0) >= tonumber(ARGV[2]) then return {0, 0, 0} end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])

local prefix, lifetime, closed = ARGV[1], tonumber(ARGV[3]), tonumber(redis.call('GET', KEYS[2])) or 0
local at, texts, isNew, masks, hours, late, folded = 4, {}, {}, {}, {}, 0, 0
local function word() at = at + 1 return ARGV[at] end
local function has(key, field) return redis.call('HEXISTS', key, field) == 1 end
local function number(key, field) return tonumber(redis.call('HGET', key, field)) or 0 end
local function add(key, field, count) redis.call('HINCRBY', key, field, count) end

local function place(hour, domain)
  local day = math.floor(hour / ${DAY})
  local key = prefix .. 'day:' .. string.format('%d', day) .. ':' .. domain
  if isNew[key] == nil then isNew[key] = redis.call('EXISTS', key) == 0 and {day, domain} end
  return key, (hour - day * ${DAY}) / ${HOUR}
end

local function keepText(ref)
  local key = prefix .. 'policy:' .. ref
  if ref ~= '' and redis.call('PTTL', key) < lifetime - ${DAY} then
    redis.call('SET', key, texts[ref], 'PX', lifetime)
  end
end

local function policyOf(key, hour, ref, foldedRef)
  if has(key, hour .. ref .. '|') then return ref end
  local used = ref
  if ref == '${TOO_LONG}' or number(key, 'p' .. hour) >= ${MOST_POLICIES} then used = foldedRef end
  if not has(key, hour .. used .. '|') then
    keepText(used)
    add(key, 'p' .. hour, 1)
    add(key, hour .. used .. '|', 0)
  end
  return used
end

local function detailOf(key, hour, ref, detail, foldedDetail)
  local begin = hour .. ref .. '|'
  if detail == '' or has(key, begin .. detail) then return detail end
  local used = detail
  if number(key, 'd' .. hour) >= ${MOST_DETAILS} then used = foldedDetail end
  if not has(key, begin .. used) then add(key, 'd' .. hour, 1) end
  return used
end

for i = 1, word() do
  local ref = word()
  texts[ref] = word()
end
for i = 1, word() do
  local given, domain, ref, foldedRef, detail, foldedDetail, count =
    tonumber(word()), word(), word(), word(), word(), word(), word()
  local hour = math.max(given, closed)
  if hour ~= given then late = late + count end
  local key, hourOfDay = place(hour, domain)
  local name = string.format('%02d|', hourOfDay)
  local usedRef = policyOf(key, name, ref, foldedRef)
  local usedDetail = detailOf(key, name, usedRef, detail, foldedDetail)
  add(key, name .. usedRef .. '|' .. usedDetail, count)
  if usedRef ~= ref or usedDetail ~= detail then folded = folded + count end
  masks[key] = bit.bor(masks[key] or number(key, 'h'), bit.lshift(1, hourOfDay))
  hours[string.format('%.0f', hour)] = true
end
for i = 1, word() do
  local hour, domain, kind, foldedKind, count = tonumber(word()), word(), word(), word(), word()
  local key, hourOfDay = place(hour, domain)
  local name = string.format('s%02d', hourOfDay)
  local used = kind
  if not has(key, name .. kind) then
    if number(key, name) >= ${MOST_SESSION_KINDS} then used = foldedKind end
    if not has(key, name .. used) then add(key, name, 1) end
  end
  add(key, name .. used, count)
end

for key, mask in pairs(masks) do redis.call('HSET', key, 'h', mask) end
for hour in pairs(hours) do redis.call('ZADD', KEYS[3], hour, hour) end
for key, new in pairs(isNew) do
  if new then
    local day = string.format('%d', new[1])
    redis.call('PEXPIRE', key, lifetime)
    redis.call('ZADD', KEYS[4], day, day)
    redis.call('ZADD', prefix .. 'domains:' .. day, 0, new[2])
    redis.call('PEXPIRE', prefix .. 'domains:' .. day, lifetime)
  end
end
return {1, late, folded}
`)

/** Keys: closed. Words: instant. Answer: up to where all hours are closed now. */
export const CLOSE = defineScript(`
local closed = math.max(tonumber(redis.call('GET', KEYS[1])) or 0, tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%.0f', closed))
return closed
`)

/**
 * Keys: domains of a day. Words: prefix of their counts, behind, hours as bits, how many, how many are looked at. Answer: the last one
 * looked at, or nothing where there are no more; then those that have outcomes in these hours.
 */
export const DOMAINS = defineScript(`
local behind = ARGV[2] == '' and '-' or '(' .. ARGV[2]
local names = redis.call('ZRANGEBYLEX', KEYS[1], behind, '+', 'LIMIT', 0, ARGV[5])
local found, hours, most = {''}, tonumber(ARGV[3]), tonumber(ARGV[4])
for _, name in ipairs(names) do
  local mask = tonumber(redis.call('HGET', ARGV[1] .. name, 'h')) or 0
  if bit.band(mask, hours) ~= 0 then found[#found + 1] = name end
  if #found > most then break end
end
if #found <= most and #names == tonumber(ARGV[5]) then found[1] = names[#names] end
return found
`)

/** Keys: domains of a day, days. Words: prefix of their counts, day, at most. Answer: how many domains are left. */
export const REMOVE = defineScript(`
local names = redis.call('ZRANGE', KEYS[1], 0, ARGV[3] - 1)
for _, name in ipairs(names) do redis.call('UNLINK', ARGV[1] .. name) end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, ARGV[3] - 1)
local left = redis.call('ZCARD', KEYS[1])
if left == 0 then redis.call('ZREM', KEYS[2], ARGV[2]) end
return left
`)

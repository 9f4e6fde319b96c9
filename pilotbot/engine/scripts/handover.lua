-- Give a chat to a person, or back to the bot, from outside a turn. (design 3.10)
-- ARGV: 'take', c, number, kind, address, human JSON, event body, what they were seen to write or '', its id or '', when or ''
--       'back', c, event body, only where its time is over 0|1
-- Returns {'taken'|'extended'|'dup'|'late'|'back'|'none', notes}, {'moved', notes, where to}
local KNOWN_FOR = 60000 -- ms
local c, notes = ARGV[2], {}
local moved = redis.call('HGET', key('chat', c), 'moved')
if moved then return {'moved', notes, moved} end
if ARGV[1] == 'back' then
  local due = redis.call('ZSCORE', shard('humans'), c)
  if ARGV[4] == '1' and due and tonumber(due) > now then return {'none', notes} end
  local this = 'back:' .. redis.sha1hex(ARGV[3]) -- by which a repeat after a lost reply is known
  if give_back(c, ARGV[3]) then
    remember(c, this, now + KNOWN_FOR)
    return {'back', notes}
  end
  return {redis.call('ZSCORE', key('dedupe', c), this) and 'back' or 'none', notes}
end
local chat = key('chat', c)
if ARGV[8] ~= '' then
  local since = redis.call('HMGET', chat, 'back', 'gone') -- the bot has it again, the contact was forgotten
  if math.max(tonumber(since[1] or '-1'), tonumber(since[2] or '-1')) >= tonumber(ARGV[10]) then return {'late', notes} end
  if not remember(c, 'echo:' .. ARGV[9], now + REMEMBER) then return {'dup', notes} end
end
redis.call('HSET', chat, 'number', ARGV[3], 'kind', ARGV[4])
redis.call('HSETNX', chat, 'address', ARGV[5])
return {take_chat(c, ARGV[6], ARGV[7], ARGV[8], notes), notes}

-- Dead letters. ARGV: 'list', n | 'show', id | 'drop', id | 'retry', id, depth of a mailbox.  Returns letters as id, at, JSON; or 1|0
local verb, id = ARGV[1], ARGV[2]
local letters = shard('dead:letters')
if verb == 'list' then
  local found = {}
  local ids = redis.call('ZRANGE', shard('dead'), 0, tonumber(ARGV[2]) - 1, 'WITHSCORES')
  for i = 1, #ids, 2 do table.insert(found, {ids[i], ids[i + 1], redis.call('HGET', letters, ids[i])}) end
  return found
end
local text = redis.call('HGET', letters, id)
if not text then return 0 end
if verb == 'show' then return {id, redis.call('ZSCORE', shard('dead'), id), text} end
if verb == 'retry' then
  local letter = cjson.decode(text)
  local c = letter.chat
  if letter.kind == 'send' then
    local head = header_of(letter.payload)
    if barred(c, head, redis.call('HGET', key('chat', c), 'generation')) or withheld(c, head) then return 0 end -- it would only be left out
    if not push(c, {letter.payload}) then return 0 end
  else
    if redis.call('ZCARD', key('mailbox', c)) >= tonumber(ARGV[3]) then return 0 end
    for name, value in pairs(letter.place or {}) do redis.call('HSETNX', key('chat', c), name, value) end
    local seq = redis.call('HINCRBY', key('chat', c), 'seq', 1)
    redis.call('PEXPIRE', key('chat', c), KEEP_CHAT)
    redis.call('ZADD', key('mailbox', c), now, string.format('%012d', seq) .. ':' .. letter.mark .. ':' .. letter.message .. ':' .. letter.payload)
    count_waiting(1)
    if not redis.call('ZSCORE', shard('lease'), c) then redis.call('ZADD', shard('ready'), 'NX', now, c) end
  end
end
redis.call('ZREM', shard('dead'), id)
redis.call('HDEL', letters, id)
return 1

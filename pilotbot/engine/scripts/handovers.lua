-- Who has chats of this shard, those whose time is over first. ARGV: so many are passed over, n.
-- Returns a list of {c, number, kind, address, name or '', human JSON}
local found = {}
for _, c in ipairs(redis.call('ZRANGE', shard('humans'), ARGV[1], tonumber(ARGV[1]) + tonumber(ARGV[2]) - 1)) do
  local chat = redis.call('HMGET', key('chat', c), 'number', 'kind', 'address', 'name', 'human')
  if chat[5] then
    table.insert(found, {c, chat[1] or '', chat[2] or '', chat[3] or '', chat[4] or '', chat[5]})
  else
    redis.call('ZREM', shard('humans'), c) -- the chat was removed
  end
end
return found

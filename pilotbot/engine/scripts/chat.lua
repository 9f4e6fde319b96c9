-- A chat's fields as they are, and business time. ARGV: c.  Returns {now, fields flat, waiting events, waiting items, held items}
return {int(now), redis.call('HGETALL', key('chat', ARGV[1])), redis.call('ZCARD', key('mailbox', ARGV[1])),
        redis.call('LLEN', key('lane', ARGV[1])), redis.call('LLEN', key('hold', ARGV[1]))}

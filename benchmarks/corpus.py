"""A company of the size peers were measured with: 100,000 tickets, 200 people, 8 queues, 40,000 comments."""

from __future__ import annotations

import random

import asyncpg

TICKETS, PEOPLE, TEAMS, COMMENTS = 100_000, 200, 8, 40_000
WORDS = (
    "laptop screen keyboard printer network password account access licence office chair desk lamp heating window door "
    "travel invoice refund contract leave training badge parking phone headset camera projector server backup mail"
).split()


async def fill(url: str) -> None:
    """Add the corpus to a database with the demo company in it, and let PostgreSQL look at it."""
    connection = await asyncpg.connect(url, command_timeout=600)
    chance = random.Random(1)
    rare = [f"{a}{b}" for a in WORDS for b in ("ora", "ix", "umo")]
    texts = [" ".join([*chance.choices(WORDS, k=5), chance.choice(rare)]) for _ in range(5000)]
    try:
        await connection.execute("CREATE TEMP TABLE texts (line int PRIMARY KEY, words text)")
        await connection.copy_records_to_table("texts", records=list(enumerate(texts)))
        await connection.execute(
            f"""
            INSERT INTO users (username, email, first_name, last_name, department_id, timezone, locale, is_active)
            SELECT 'person' || n, 'person' || n || '@example.com', 'Person', n::text,
                   (SELECT id FROM departments ORDER BY id LIMIT 1 OFFSET n % 3), 'UTC', 'en', true
            FROM generate_series(1, {PEOPLE}) n;
            INSERT INTO teams (name) SELECT 'Queue ' || n FROM generate_series(1, {TEAMS}) n
            """
        )
        await connection.execute(
            f"""
            INSERT INTO tickets (ticket_number, title, description, ticket_type_id, ticket_type, form_version, status,
                priority, requester_id, created_by_id, assignee_id, team_id, department_id, custom_fields, amount, currency,
                due_date, tags, version, created_at, updated_at, submitted_at, comment_count)
            SELECT 'BEN-2026-' || lpad(n::text, 6, '0'), initcap(words) || ' ' || n, repeat(words || '. ', 8),
                k.id, k.key, k.form_version,
                (ARRAY['APPROVED', 'APPROVED', 'IN_PROGRESS', 'COMPLETED', 'CLOSED', 'CLOSED', 'CLOSED', 'IN_REVIEW'])
                    [1 + n % 8],
                (ARRAY['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'])[1 + n % 4],
                u.id, u.id, CASE WHEN n % 3 = 0 THEN u.id END, t.id, u.department_id,
                CASE WHEN n % 2 = 0 THEN jsonb_build_object('budget_code', 'B-' || n % 2000) ELSE '{{}}' END,
                CASE WHEN n % 3 = 0 THEN n % 9000 + 0.5 END, CASE WHEN n % 3 = 0 THEN 'USD' END,
                CASE WHEN n % 4 < 3 THEN now() + (n % 20000 - 15000) * interval '1 minute' END,
                CASE WHEN n % 200 = 0 THEN '["vpn"]' WHEN n % 5 = 0 THEN '["onboarding"]' ELSE '[]' END::jsonb, 2,
                now() - n * interval '5 minutes', now() - n * interval '4 minutes', now() - n * interval '5 minutes', 0
            FROM generate_series(1, {TICKETS}) n
            JOIN texts x ON x.line = (n * 7919) % 5000
            JOIN (SELECT id, key, (SELECT max(version) FROM form_versions f WHERE f.ticket_type_id = y.id) form_version
                  FROM ticket_types y WHERE key = 'IT_SUPPORT') k ON true
            JOIN (SELECT id, department_id, row_number() OVER (ORDER BY id) r FROM users WHERE username LIKE 'person%') u
                ON u.r = 1 + n % {PEOPLE}
            JOIN (SELECT id, row_number() OVER (ORDER BY id) r FROM teams WHERE name LIKE 'Queue %') t
                ON t.r = 1 + n % {TEAMS};
            INSERT INTO search_documents (ticket_id, is_inner, is_fullest, language, words, marks)
            SELECT id, false, true, 'en', setweight(to_tsvector('simple', lower(ticket_number || ' ' || title)), 'A')
                || setweight(to_tsvector('simple', lower(description)), 'C'),
                ARRAY[(1::bigint << 48) | (id / 128), (2::bigint << 48) | requester_id, (4::bigint << 48) | team_id]
            FROM tickets WHERE ticket_number LIKE 'BEN-%';
            INSERT INTO ticket_comments (ticket_id, author_id, body, visibility, created_at)
            SELECT id, requester_id, repeat('What was said about it. ', 6), 'PUBLIC', created_at + interval '1 hour'
            FROM tickets WHERE ticket_number LIKE 'BEN-%' ORDER BY id LIMIT {COMMENTS};
            """
        )
        await connection.execute(
            "INSERT INTO team_members (team_id, user_id) SELECT t.id, u.id FROM teams t, users u"
            " WHERE t.name IN ('Queue 1', 'Queue 2') AND u.username = 'agent'"
        )
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()

{# A record that stands in several files counts once, as in the newest of them. #}
with streams as (
    select
        lower(user_email) as user_email,
        lower(movie_title) as title,
        start_at at time zone 'UTC' as started_at,
        epoch_us(end_at) - epoch_us(start_at) as duration_us
    from {{ source('bronze', 'streams') }}
    qualify row_number() over (
        partition by lower(user_email), lower(movie_title), start_at
        order by ingestion_date desc, _ingested_at desc, _topic desc, _offset desc
    ) = 1
),

movies as (
    select lower(title) as title, duration_mins
    from {{ source('bronze', 'movies') }}
    qualify row_number() over (
        partition by lower(title)
        order by ingestion_date desc, _ingested_at desc, _topic desc, _offset desc
    ) = 1
),

month as (
    select
        coalesce(
            cast(nullif(left('{{ var("month", "") }}', 7), '') || '-01' as date),
            cast(max(started_at) as date)
        ) as any_day
    from streams
),

week as (
    select
        last_day(any_day) - 6 as first_day,
        last_day(any_day) as last_day
    from month
)

select count(distinct user_email) as users
from week, streams
inner join movies using (title)
where
    cast(started_at as date) between first_day and last_day
    and duration_us >= duration_mins * 30000000

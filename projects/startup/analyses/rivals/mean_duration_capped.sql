{# A record that stands in several files counts once, as in the newest of them. #}
with streams as (
    select
        lower(movie_title) as title,
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
)

select avg(least(duration_us, duration_mins * 60000000)) / 3.6e9 as hours
from streams
inner join movies using (title)
where duration_us >= 0 and duration_mins is not null

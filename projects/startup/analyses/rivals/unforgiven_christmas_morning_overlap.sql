with streams as (
    select
        lower(user_email) as user_email,
        lower(movie_title) as title,
        start_at at time zone '{{ var("viewer_timezone", "Europe/Berlin") }}' as started_at,
        end_at at time zone '{{ var("viewer_timezone", "Europe/Berlin") }}' as ended_at
    from {{ source('bronze', 'streams') }}
),

latest as (
    select cast(max(started_at) as date) as day from streams
),

christmas as (
    select
        coalesce(
            cast(nullif('{{ var("christmas_day", "") }}', '') as date),
            case
                when day >= make_date(year(day), 12, 25) then make_date(year(day), 12, 25)
                else make_date(year(day) - 1, 12, 25)
            end
        ) as day
    from latest
)

select count(distinct user_email) as users
from streams, christmas
where
    title = 'unforgiven'
    and started_at < day + interval 12 hour
    and ended_at > day + interval 7 hour

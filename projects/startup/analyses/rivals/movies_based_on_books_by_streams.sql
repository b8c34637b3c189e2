{# The vendor sends its dumps whole: the newest file of each is the truth. #}
with streams as (
    select lower(movie_title) as title
    from {{ source('bronze', 'streams') }}
    qualify row_number() over (
        partition by lower(user_email), lower(movie_title), start_at
        order by ingestion_date desc, _ingested_at desc, _topic desc, _offset desc
    ) = 1
),

reviews as (
    select movies, books
    from {{ source('bronze', 'reviews') }}
    qualify _topic = first_value(_topic) over (order by ingestion_date desc, _ingested_at desc, _topic desc)
),

books as (
    select lower(name) as title
    from {{ source('bronze', 'books') }}
    qualify _topic = first_value(_topic) over (order by ingestion_date desc, _ingested_at desc, _topic desc)
),

based_on_books as (
    select distinct lower(m.movie.title) as title
    from reviews, unnest(reviews.movies) as m(movie), unnest(reviews.books) as b(book)
    where lower(b.book.metadata.title) in (select title from books)
)

select 100.0 * count(based_on_books.title) / nullif(count(*), 0) as percent
from streams
left join based_on_books using (title)

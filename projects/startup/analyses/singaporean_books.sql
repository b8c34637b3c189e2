{# The vendor sends its dumps whole: the newest file of each is the truth. #}
with streamed as (
    select distinct lower(movie_title) as title
    from {{ source('bronze', 'streams') }}
),

reviews as (
    select movies, books
    from {{ source('bronze', 'reviews') }}
    qualify _topic = first_value(_topic) over (order by ingestion_date desc, _ingested_at desc, _topic desc)
),

books as (
    select lower(name) as title, lower(author) as author
    from {{ source('bronze', 'books') }}
    qualify _topic = first_value(_topic) over (order by ingestion_date desc, _ingested_at desc, _topic desc)
),

authors as (
    select lower(metadata.name) as name, nationalities
    from {{ source('bronze', 'authors') }}
    qualify _topic = first_value(_topic) over (order by ingestion_date desc, _ingested_at desc, _topic desc)
),

singaporeans as (
    select distinct authors.name
    from authors, unnest(authors.nationalities) as n(nationality)
    where lower(n.nationality.label) = 'singaporeans'
),

links as (
    select distinct lower(m.movie.title) as movie_title, books.title as book_title
    from reviews, unnest(reviews.movies) as m(movie), unnest(reviews.books) as b(book)
    inner join books on lower(b.book.metadata.title) = books.title
    inner join singaporeans on books.author = singaporeans.name
)

select count(*) as movies
from streamed
where title in (select movie_title from links)

#!/bin/bash
# Run once by the postgres image on an empty volume: one database and one role a service, none may enter another's.
set -euo pipefail

for service in identity cases notify rating; do
  variable="ONEHALL_${service^^}_DATABASE_PASSWORD"
  psql --no-psqlrc --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres \
    --set=service="$service" --set=password="${!variable:?}" <<'SQL'
CREATE ROLE :"service" LOGIN PASSWORD :'password';
CREATE DATABASE :"service" OWNER :"service";
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
SQL
done

psql --no-psqlrc --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres \
  --command='REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC'

#!/usr/bin/env bash
# Prints credentials of ROLE for the AWS CLI and SDKs, as their setting `credential_process` expects them. They run it again before
# the credentials expire, so a job can outlive the role's hour: MSK replaces brokers for hours.
#
#   credentials.sh write FILE ROLE SESSION   write an AWS configuration that uses this script
#   credentials.sh ROLE SESSION              exchange the job's GitHub token for an hour of ROLE
set -euo pipefail

if [ "$1" = write ]; then
    mkdir -p "$(dirname "$2")"
    printf '[default]\ncredential_process = %s %s %s\n' "$(realpath "$0")" "$3" "$4" >"$2"
    exit
fi
token=$(curl --silent --show-error --fail --retry 5 --header "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \
    "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=sts.amazonaws.com" | jq --raw-output .value)
AWS_CONFIG_FILE=/dev/null aws sts assume-role-with-web-identity --no-sign-request --role-arn "$1" --role-session-name "$2" \
    --web-identity-token "$token" --query Credentials --output json | jq '{Version: 1} + .'

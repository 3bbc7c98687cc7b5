"""AWS's public list prices for us-east-1 in US dollars, as of November 2026.

They were not checked against AWS's price list API.
"""

from typing import Final

PRICES: Final = {
    "MSK Serverless, cluster-hour": 0.75,
    "MSK Serverless, partition-hour": 0.0015,
    "MSK kafka.t3.small, broker-hour": 0.0456,
    "MSK kafka.m7g.large, broker-hour": 0.204,
    "MSK express.m7g.large, broker-hour": 0.408,
    "MSK storage, GB-month": 0.10,
    "NAT gateway, hour": 0.045,
    "interface endpoint, hour in one zone": 0.01,
    "EKS control plane, hour": 0.10,
    "EKS Auto Mode node (m7g.large and 12 %), hour": 0.0914,
    "Lambda event poller unit, hour": 0.185,
    "KMS key, month": 1.00,
    "Secrets Manager secret, month": 0.40,
    "CloudWatch alarm, month": 0.10,
    "CloudWatch dashboard, month": 3.00,
    "Redshift Serverless, RPU-hour": 0.375,
    "Lambda arm64, GB-second": 0.0000133334,
    "Lambda, million invocations": 0.20,
    "Lambda SnapStart cache, GB-hour": 0.0054165600,
    "DynamoDB on demand, million writes of 1 KB": 0.625,
    "S3 put, million": 5.00,
    "CloudWatch Logs, GB": 0.50,
}

//! An upstream that answers every request with the same small XML, as cheaply as can be.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

const ANSWER: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DescribeInstancesResponse \
xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>8f7724cf-496f-496e-8fe3-example</requestId>\
<reservationSet/></DescribeInstancesResponse>";

/// Serves connections until the process ends.
///
/// # Errors
/// What the system says of the socket.
pub async fn run(listener: TcpListener) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let service = service_fn(answer);
            drop(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await,
            );
        });
    }
}

/// The gate asks whose credential it holds before it serves.
const IDENTITY: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/gate</Arn><UserId>AIDAEXAMPLE</UserId>\
<Account>123456789012</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId>\
</ResponseMetadata></GetCallerIdentityResponse>";

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut body = request.into_body();
    let mut identity = false;
    while let Some(Ok(frame)) = body.frame().await {
        identity |= frame.data_ref().is_some_and(|data| data.starts_with(b"Action=GetCallerIdentity"));
    }
    let text = if identity { IDENTITY } else { ANSWER };
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    response.headers_mut().insert("content-type", HeaderValue::from_static("text/xml;charset=UTF-8"));
    Ok(response)
}
